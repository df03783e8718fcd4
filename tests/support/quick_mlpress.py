"""The command line with searches that take a moment: each round and generation does little, all else is as it is.

``python quick_mlpress.py search ...``
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest.mock import patch

from mlpress import approx
from mlpress.approx import gates
from mlpress.cli import main


def search() -> Any:
    """The integer level's search with small generations."""
    effort = approx.Effort(islands=2, size=16, offspring=8, steps=100, interval=2, migrants=3)
    return partial(approx.search, effort=effort, trainings=2)


def gate_options() -> Any:
    """Options of the gate level's search with small rounds."""
    return partial(gates.GateSearchOptions, prices=(4.0, 1.0, 0.5), visits=200, draws=(8, 8, 4), folds=2)


@contextmanager
def quickened() -> Iterator[None]:
    """Make each round and generation a small one."""
    with patch.object(approx, "search", search()), patch.object(gates, "GateSearchOptions", gate_options()):
        yield


if __name__ == "__main__":
    with quickened():
        main()
