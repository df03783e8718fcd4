"""The command line with searches that take a moment: each round and generation does little, all else is as it is.

``python quick_mlpress.py search ...``
"""

from __future__ import annotations

from functools import partial

from mlpress import approx
from mlpress.approx import gates
from mlpress.cli import main


def quicken() -> None:
    """Make each round and generation a small one."""
    effort = approx.Effort(islands=2, size=16, offspring=8, steps=100, interval=2, migrants=3)
    approx.search = partial(approx.search, effort=effort, trainings=2)
    gates.GateSearchOptions = partial(
        gates.GateSearchOptions, prices=(4.0, 1.0, 0.5), visits=200, draws=(8, 8, 4), folds=2
    )


if __name__ == "__main__":
    quicken()
    main()
