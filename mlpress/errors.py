"""The exceptions that mlpress raises for what a user can mend, and its warnings."""


class MlpressError(Exception):
    """Bad input, an unsupported model or a failed check.

    The message is one line that says what is wrong, where, and what to do.  The command line prints
    it without a traceback and exits with code 2.
    """


class OutOfTimeError(MlpressError):
    """A tool did not end in the time that it was given: nothing is known to be wrong."""


class MlpressWarning(UserWarning):
    """Something that is allowed but suspicious: the result may not be what the user wants."""
