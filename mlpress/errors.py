"""The exceptions that mlpress raises for what a user can mend, and its warnings."""

import re

LONGEST_WORD = 200
"""Characters of a name or path that a message shows."""
LONGEST_LINE = 4000
"""Characters of a message."""


class MlpressError(Exception):
    """Bad input, an unsupported model or a failed check.

    The message is one line that says what is wrong, where, and what to do.  The command line prints
    it without a traceback and exits with code 2.
    """


class OutOfTimeError(MlpressError):
    """A tool did not end in the time that it was given: nothing is known to be wrong."""


class MlpressWarning(UserWarning):
    """Something that is allowed but suspicious: the result may not be what the user wants."""


def one_line(text: str) -> str:
    """Return ``text`` as a message shows it: control characters escaped, long names cut, all of it on one line.

    Names, paths and what tools said come from files that anybody may have written.
    """
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    cut = re.sub(rf"\S{{{LONGEST_WORD + 1},}}", lambda word: word[0][: LONGEST_WORD - 3] + "...", shown)
    return cut if len(cut) <= LONGEST_LINE else cut[: LONGEST_LINE - 3] + "..."
