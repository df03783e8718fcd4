"""How the command line ends where something fails that a user can mend: one line, exit code 2."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from mlpress.errors import MlpressError, one_line


@contextmanager
def in_one_line() -> Iterator[None]:
    """End the process with one line and exit code 2 for bad input, and for a machine that lacks room or rights."""
    try:
        yield
    except MlpressError as error:
        _end(str(error))
    except BrokenPipeError:
        raise
    except Exception as error:
        if _lacks_memory(error):
            _end("there is not enough memory; give smaller files, fewer rows or workers, or more memory")
        if not isinstance(error, OSError):
            raise
        where = f"{error.filename}: " if error.filename else ""  # a full disk, a name too long, a folder that is gone
        _end(f"{where}{error.strerror or error}; mend that and start again")


_NO_MEMORY = (
    *("failed to map segment from shared object", "cannot allocate memory", "bad_alloc", "bad allocation"),
    *("returned null without setting an exception", "can't start new thread", "unable to allocate"),
)
"""What libraries say in place of :class:`MemoryError` where a process may have no more."""


def _lacks_memory(error: BaseException) -> bool:
    """Return whether the error, or one that it came from, is one of too little memory."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, MemoryError) or any(words in str(seen).lower() for words in _NO_MEMORY):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _end(message: str) -> NoReturn:
    with suppress(OSError):  # standard error may be a full disk too
        sys.stderr.write(f"mlpress: {one_line(message)}\n")
    sys.exit(2)
