"""How long work tells its caller what it is doing."""

from __future__ import annotations

import warnings
from typing import Protocol

from mlpress.errors import MlpressWarning


class Progress(Protocol):
    """What long work calls; the command line shows it, a library user may ignore it."""

    def step(self, name: str) -> None:
        """A new step of the work starts."""

    def note(self, text: str) -> None:
        """One line that the user should read (a check that could not run, say)."""

    def warn(self, text: str) -> None:
        """One line on what is allowed but suspicious; a strict caller raises :class:`MlpressError` with it."""


class Silent:
    """The progress of work that nobody watches."""

    def step(self, name: str) -> None:
        """Say nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""

    def warn(self, text: str) -> None:
        """Hand the warning to Python's ``warnings``."""
        warnings.warn(text, MlpressWarning, stacklevel=2)


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return ``number`` with its noun: ``one`` of it, else ``many`` (default: ``one`` with an s)."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
