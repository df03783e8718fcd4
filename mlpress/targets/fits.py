"""Which parts a program fits, over all targets that have parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlpress.errors import MlpressError
from mlpress.progress import Progress, Silent
from mlpress.targets.base import PartsTarget, Rows
from mlpress.targets.table import TARGETS, read_target, target_options


def fitting(
    program: Any, rows: Rows, options: Mapping[str, Any] | None = None, *, progress: Progress | None = None
) -> list[dict[str, Any]]:
    """Return every part of every target, built for it with those ``options`` that the target knows.

    Each has ``fits``, and what it has and what the program takes there.  Those that fit stand first; of them those
    with a known price, the cheapest first, then the others, the smallest flash and then the smallest RAM first.
    Raises :class:`MlpressError` where no target with parts takes the program.
    """
    progress = progress or Silent()
    found: list[dict[str, Any]] = []
    for name in TARGETS:
        known = {key: value for key, value in (options or {}).items() if key in target_options(name)}
        target = read_target(name, known)
        if isinstance(target, PartsTarget):
            target.validate(program)
            progress.step(f"build for {name}")
            found += [dict(part) for part in target.parts(target.build(program, rows, Silent()), rows)]
    if not found:
        raise MlpressError("no target has parts")
    return sorted(found, key=_rank)


def _rank(part: Mapping[str, Any]) -> tuple[bool, bool, float, int, int, str]:
    dollars = part["dollars"]
    return not part["fits"], dollars is None, dollars or 0.0, part["flash"], part["ram"], part["part"]
