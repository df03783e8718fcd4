"""The one exception that mlpress raises for what a user can mend."""


class MlpressError(Exception):
    """Bad input, an unsupported model or a failed check.

    The message is one line that says what is wrong, where, and what to do.  The command line prints
    it without a traceback and exits with code 2.
    """


class MlpressWarning(UserWarning):
    """Something that is allowed but suspicious: the result may not be what the user wants."""
