"""The technologies that come with mlpress, and their data files ``technologies/*.json``.

A table is ``[name of its axes, [[values], ...]]``; the axes stand once per file.  Everything else maps one to
one to the types of :mod:`mlpress.hw.printed.cells.technology`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from mlpress.errors import MlpressError
from mlpress.hw.printed.cells.boolean import parse
from mlpress.hw.printed.cells.technology import (
    Arc,
    Capacitance,
    Cell,
    Comparator,
    Corner,
    Energy,
    FlipFlop,
    Floats,
    Table,
    Technology,
    optional_expression,
)

FORMAT = "mlpress technology 1"

Axes = dict[str, tuple[Floats, Floats]]


TECHNOLOGIES: Mapping[str, str] = {"egfet": "egfet.json", "cnt-tft": "cnt_tft.json"}
"""Name -> data file: the printed technologies that come with mlpress."""


def technologies() -> tuple[str, ...]:
    """Return names that :func:`load_technology` knows."""
    return tuple(TECHNOLOGIES)


@cache
def load_technology(name: str) -> Technology:
    """Load the technology ``name``; raise :class:`MlpressError` where there is none."""
    if name not in TECHNOLOGIES:
        raise MlpressError(f"there is no technology {name!r}; choose one of {', '.join(TECHNOLOGIES)}")
    return read_technology(TECHNOLOGIES[name])


def read_technology(file: str) -> Technology:
    """Read the technology in the packaged ``file``."""
    text = (resources.files("mlpress.hw.printed.cells") / "technologies" / file).read_text(encoding="utf-8")
    facts = json.loads(text)
    if facts.get("format") != FORMAT:
        raise MlpressError(f"{file} is not of the format {FORMAT!r}; install this version of mlpress again")
    axes = {name: (np.array(slews, float), np.array(loads, float)) for name, (slews, loads) in facts["axes"].items()}
    return Technology(
        name=facts["name"],
        title=facts["title"],
        nominal=facts["nominal_voltage"],
        voltages=tuple(float(v) for v in facts["timing"]),
        cells={name: _cell(name, cell, axes) for name, cell in facts["cells"].items()},
        sources=facts["sources"],
        timing={float(v): text for v, text in facts["timing"].items()},
        comparator=_comparator(facts.get("comparator")),
    )


def _comparator(facts: dict[str, Any] | None) -> Comparator | None:
    if facts is None:
        return None
    return Comparator(facts["area_um2"], {float(v): nw for v, nw in facts["static_nw"].items()}, facts["source"])


def _cell(name: str, facts: dict[str, Any], axes: Axes) -> Cell:
    return Cell(
        name=name,
        area_um2=facts["area_um2"],
        inputs=tuple(facts["inputs"]),
        outputs={pin: parse(function) for pin, function in facts["outputs"].items()},
        flip_flop=_flip_flop(facts["flip_flop"]) if "flip_flop" in facts else None,
        dont_use=facts.get("dont_use", ""),
        unsupported=facts.get("unsupported", ""),
        corners={float(v): _corner(corner, axes) for v, corner in facts["corners"].items()},
    )


def _flip_flop(facts: dict[str, str]) -> FlipFlop:
    return FlipFlop(
        state=facts["state"],
        inverse=facts["inverse"],
        clock=parse(facts["clock"]),
        next_state=parse(facts["next_state"]),
        clear=optional_expression(facts.get("clear")),
        preset=optional_expression(facts.get("preset")),
    )


def _corner(facts: dict[str, Any], axes: Axes) -> Corner:
    return Corner(
        static_nw=facts["static_nw"],
        states=tuple((parse(when), power) for when, power in facts["states"].items()),
        capacitance={pin: Capacitance(*values) for pin, values in facts["capacitance_pf"].items()},
        arcs=tuple(_arc(arc, axes) for arc in facts["arcs"]),
        energies=tuple(_energy(energy, axes) for energy in facts["energies"]),
    )


def _arc(facts: dict[str, Any], axes: Axes) -> Arc:
    return Arc(
        output=facts["to"],
        related=facts["from"],
        when=optional_expression(facts.get("when")),
        sense=facts["sense"],
        edges=facts.get("edges", "both"),
        clocked=facts.get("clocked", False),
        rise=_table(facts.get("rise"), axes),
        rise_slew=_table(facts.get("rise_slew"), axes),
        fall=_table(facts.get("fall"), axes),
        fall_slew=_table(facts.get("fall_slew"), axes),
    )


def _energy(facts: dict[str, Any], axes: Axes) -> Energy:
    return Energy(
        pin=facts["pin"],
        related=facts.get("from"),
        when=optional_expression(facts.get("when")),
        supply=facts["supply"],
        rise=_table(facts.get("rise"), axes),
        fall=_table(facts.get("fall"), axes),
    )


def _table(facts: list[Any] | None, axes: Axes) -> Table | None:
    if facts is None:
        return None
    slews, loads = axes[facts[0]]
    return Table(slews, loads, np.array(facts[1], float))
