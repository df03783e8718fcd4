"""Look-up in the tables of a technology, many at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlpress.hw.printed.cells.technology import Floats, Table
from mlpress.jit import compiled

Indices = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Tables side by side, padded: ``slews`` (T, S), ``loads`` (T, L), ``values`` (T, S, L), and ``sizes`` (T, 2)."""

    slews: Floats
    loads: Floats
    values: Floats
    sizes: Indices

    def __call__(self, table: Indices, slew: Floats, load: Floats) -> Floats:
        """Return the value of ``table[k]`` at ``slew[k]`` (ns) and ``load[k]`` (pF), for all k."""
        result = np.empty(len(table))
        _look_up_all(self.slews, self.loads, self.values, self.sizes, table, slew, load, result)
        return result


def stack(tables: Iterable[Table]) -> Stack:
    """Return the tables as one :class:`Stack`, in order."""
    found = list(tables)
    sizes = np.array([table.values.shape for table in found], np.int32).reshape(-1, 2)
    slews, loads = (int(sizes[:, k].max(initial=1)) for k in (0, 1))
    result = Stack(
        np.zeros((len(found), slews)), np.zeros((len(found), loads)), np.zeros((len(found), slews, loads)), sizes
    )
    for k, (table, (s, n)) in enumerate(zip(found, sizes.tolist(), strict=True)):
        result.slews[k, :s], result.loads[k, :n], result.values[k, :s, :n] = table.slews, table.loads, table.values
    return result


@compiled
def place(points: Floats, size: int, at: float) -> tuple[int, float]:
    """Return the segment of ``points[:size]`` to use for ``at``, and the position in it: outside 0..1 outside the
    table.
    """
    if size == 1:
        return 0, 0.0
    segment = 0
    while segment < size - 2 and at >= points[segment + 1]:
        segment += 1
    return segment, (at - points[segment]) / (points[segment + 1] - points[segment])


@compiled
def look_up(
    slews: Floats, loads: Floats, values: Floats, sizes: Indices, table: int, slew: float, load: float
) -> float:
    """Interpolate bilinearly in one table; outside, linear extrapolation from its nearest two points."""
    i, u = place(slews[table], sizes[table, 0], slew)
    j, v = place(loads[table], sizes[table, 1], load)
    i1 = min(i + 1, sizes[table, 0] - 1)
    j1 = min(j + 1, sizes[table, 1] - 1)
    low = values[table, i, j] * (1.0 - v) + values[table, i, j1] * v
    high = values[table, i1, j] * (1.0 - v) + values[table, i1, j1] * v
    result: float = low * (1.0 - u) + high * u
    return result


@compiled
def _look_up_all(
    slews: Floats,
    loads: Floats,
    values: Floats,
    sizes: Indices,
    table: Indices,
    slew: Floats,
    load: Floats,
    result: Floats,
) -> None:
    for k in range(len(table)):
        result[k] = look_up(slews, loads, values, sizes, table[k], slew[k], load[k])
