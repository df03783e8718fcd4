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
    except OSError as error:  # a full disk, a name that is too long, a folder that is gone
        where = f"{error.filename}: " if error.filename else ""
        _end(f"{where}{error.strerror or error}; mend that and start again")
    except MemoryError:
        _end("there is not enough memory; give smaller files, fewer rows or workers, or more memory")


def _end(message: str) -> NoReturn:
    with suppress(OSError):  # standard error may be a full disk too
        sys.stderr.write(f"mlpress: {one_line(message)}\n")
    sys.exit(2)
