"""Where the tables of a grid go: the rule of ``docs/ngpc.md``, level by level."""

from __future__ import annotations

from typing import Literal, NamedTuple

from mlpress.codegen.ngpc.kernel import How, Placement
from mlpress.errors import MlpressError
from mlpress.hw.ngpc import Cluster
from mlpress.ir import Grid

Policy = Literal["auto", "sram"]


class Placed(NamedTuple):
    """The placements of a grid's levels; ``lanes`` of ``stride`` engines, ``turns`` passes over them."""

    lanes: int
    stride: int
    turns: int
    levels: tuple[Placement, ...]


def table_sizes(grid: Grid) -> tuple[int, ...]:
    """Return the bytes of each level's table, packed."""
    return tuple(-(-level.table.size * level.bits // 8) for level in grid.levels)


def place(grid: Grid, cluster: Cluster, policy: Policy, where: str) -> Placed:
    """Place the tables of ``grid``; with policy ``sram`` raise :class:`MlpressError` where one does not fit."""
    found = place_tables(table_sizes(grid), cluster)
    outside = [(k, one.size) for k, one in enumerate(found.levels) if one.how == "cache"]
    if policy == "sram" and outside:
        level, size = outside[0]
        raise MlpressError(
            f"{where}, level {level}: its table has {size} bytes, and no engine of {cluster.sram_bytes} bytes, nor "
            f"idle ones together, can hold it; make it smaller (tables=int8), or cache it (placement=auto)"
        )
    return found


def place_tables(sizes: tuple[int, ...], cluster: Cluster) -> Placed:
    """Place tables of these bytes: fit, else split over idle engines, else cached (``docs/ngpc.md``)."""
    return _side_by_side(sizes, cluster) if len(sizes) <= cluster.engines else _in_turns(sizes, cluster)


def placed(grid: Grid, cluster: Cluster) -> tuple[Placement, ...]:
    """Return where the tables of ``grid`` go where caching is allowed."""
    return place(grid, cluster, "auto", "").levels


def _side_by_side(sizes: tuple[int, ...], cluster: Cluster) -> Placed:
    """Place at most one level per engine; what does not fit is split over idle engines, the smallest first."""
    banks = [max(1, -(-size // cluster.sram_bytes)) for size in sizes]
    spare = cluster.engines - len(sizes)
    hows: list[How] = ["fit"] * len(sizes)
    for level in sorted(range(len(sizes)), key=lambda k: (banks[k], k)):
        if banks[level] - 1 <= spare:
            spare -= banks[level] - 1
            hows[level] = "fit" if banks[level] == 1 else "split"
        else:
            banks[level], hows[level] = 1, "cache"
    found, engine = [], 0
    for how, count, size in zip(hows, banks, sizes, strict=True):
        resident = min(-(-size // count), cluster.sram_bytes)
        found.append(Placement(how, 0, tuple(range(engine, engine + count)), size, resident))
        engine += count
    return Placed(cluster.engines // engine, engine, 1, tuple(found))


def _in_turns(sizes: tuple[int, ...], cluster: Cluster) -> Placed:
    """Place level ``k`` in engine ``k mod engines``; levels that do not fit share what is left of its SRAM."""
    count = cluster.engines
    found: dict[int, Placement] = {}
    for engine in range(count):
        free, outside = cluster.sram_bytes, []
        for level in range(engine, len(sizes), count):
            if sizes[level] <= free:
                free -= sizes[level]
                found[level] = Placement("fit", level // count, (engine,), sizes[level], sizes[level])
            else:
                outside.append(level)
        for level in outside:
            found[level] = Placement("cache", level // count, (engine,), sizes[level], free // len(outside))
    return Placed(1, count, -(-len(sizes) // count), tuple(found[k] for k in range(len(sizes))))
