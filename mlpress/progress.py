"""How long work reports its steps, notes and warnings to its caller."""

from __future__ import annotations

import warnings
from typing import Any, Protocol, TypeVar, cast

from mlpress.errors import MlpressWarning


class Progress(Protocol):
    """What long work calls; the command line shows it, a library user may ignore it."""

    def step(self, name: str) -> None:
        """Say that a new step of the work starts."""

    def note(self, text: str) -> None:
        """Say one line that the user should read (a check that could not run, say)."""

    def warn(self, text: str) -> None:
        """Say one line on what is allowed but suspicious; a strict caller raises :class:`MlpressError` with it."""


class Silent:
    """Progress that is not shown: warnings go to Python's ``warnings``."""

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


P = TypeVar("P", bound=Progress)


def recorded(progress: P) -> tuple[P, list[str]]:
    """Return the same progress, and a list that fills with its warnings."""
    kept: list[str] = []
    return cast(P, _Recorder(progress, kept)), kept


class _Recorder:
    """Any progress, which keeps what it warns of."""

    def __init__(self, inner: Progress, kept: list[str]) -> None:
        self._inner = inner
        self._kept = kept

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def warn(self, text: str) -> None:
        self._inner.warn(text)
        self._kept.append(text)
