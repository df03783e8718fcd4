"""Technologies: what cells exist, what they cost, and how fast they are, at every supply voltage.

A technology is a data file (``technologies/*.json``) or a user's liberty file.  Figures keep the units of
the characterisation files: um2, nW, pF, ns, pJ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.hw.printed.cells.boolean import Expression, parse

Floats = NDArray[np.float64]
Sense = Literal["positive", "negative", "none"]
Edges = Literal["both", "rise", "fall"]


def cm2(um2: float) -> float:
    """Return an area in cm2 from one in um2, the unit of characterisation files."""
    return um2 / 1e8


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A non-linear delay model look-up table: ``values[i, j]`` at input slew ``slews[i]`` and load ``loads[j]``.

    ``slews`` is float64 (S,) in ns, ``loads`` float64 (L,) in pF, both strictly increasing; a length of 1
    means that the value does not depend on it.
    """

    slews: Floats
    loads: Floats
    values: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Arc:
    """How an output follows one input: delays and output slews (30-70 % or as the library defines) in ns.

    ``clocked`` arcs start at a flip-flop's active clock edge.  ``edges`` says which output edges it makes.
    """

    output: str
    related: str
    when: Expression | None
    sense: Sense
    edges: Edges
    clocked: bool
    rise: Table | None
    rise_slew: Table | None
    fall: Table | None
    fall_slew: Table | None


@dataclass(frozen=True, slots=True, eq=False)
class Energy:
    """Energy in pJ inside the cell per rising and falling edge of ``pin``.

    For an output, ``related`` is the input that caused it; for an input (``related`` is None), the output
    stands still.  ``supply`` names the rail that was measured; the energies of all rails add up.
    """

    pin: str
    related: str | None
    when: Expression | None
    supply: str
    rise: Table | None
    fall: Table | None


@dataclass(frozen=True, slots=True)
class Capacitance:
    """Input capacitance in pF: typical, and the upper end for a rising and for a falling edge."""

    typical: float
    rise: float
    fall: float


@dataclass(frozen=True, slots=True, eq=False)
class Corner:
    """What a cell costs at one supply voltage: ``static_nw`` where no state of ``states`` matches."""

    static_nw: float
    states: tuple[tuple[Expression, float], ...]
    capacitance: Mapping[str, Capacitance]
    arcs: tuple[Arc, ...]
    energies: tuple[Energy, ...]


@dataclass(frozen=True, slots=True)
class FlipFlop:
    """Bit ``state`` (complement: ``inverse``) takes ``next_state`` as ``clock`` rises; clear and preset act at once."""

    state: str
    inverse: str
    clock: Expression
    next_state: Expression
    clear: Expression | None
    preset: Expression | None


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """One cell of a technology.

    ``outputs`` maps an output pin to its function over ``inputs`` and, in a flip-flop, its state.
    ``dont_use`` says why synthesis must not use it (empty: it may); ``unsupported`` why no netlist that
    holds it can be simulated.
    """

    name: str
    area_um2: float
    inputs: tuple[str, ...]
    outputs: Mapping[str, Expression]
    flip_flop: FlipFlop | None
    dont_use: str
    unsupported: str
    corners: Mapping[float, Corner]

    @property
    def variables(self) -> tuple[str, ...]:
        """What the outputs are functions of: input pins, then the stored bit."""
        return self.inputs if self.flip_flop is None else (*self.inputs, self.flip_flop.state)


@dataclass(frozen=True, slots=True, eq=False)
class Comparator:
    """A printed comparator of an analogue input with a fixed voltage: area in um2, power in nW by supply voltage.

    ``source`` says who published the figures, and what they leave out.
    """

    area_um2: float
    static_nw: Mapping[float, float]
    source: str


@dataclass(frozen=True, slots=True, eq=False)
class Technology:
    """Cells at the supply ``voltages`` (volts, rising); ``nominal`` is the one that reports lead with.

    ``sources`` says where each kind of figure comes from; ``timing`` says, for each voltage, what its
    timing rests on.  ``comparator`` is None where none has known figures.
    """

    name: str
    title: str
    nominal: float
    voltages: tuple[float, ...]
    cells: Mapping[str, Cell]
    sources: Mapping[str, str]
    timing: Mapping[float, str]
    comparator: Comparator | None = None

    def cell(self, name: str) -> Cell:
        """Return the cell of that name, or raise :class:`MlpressError`."""
        try:
            return self.cells[name]
        except KeyError:
            usable = ", ".join(sorted(cell for cell, facts in self.cells.items() if not facts.dont_use))
            raise MlpressError(f"{self.name} has no cell {name!r}; its cells are {usable}") from None

    def check_voltage(self, voltage: float) -> float:
        """Return ``voltage`` where the technology has it, else raise :class:`MlpressError`."""
        if voltage not in self.voltages:
            known = ", ".join(f"{v:g}" for v in self.voltages)
            raise MlpressError(f"{self.name} is not characterised at {voltage:g} V; choose one of {known}")
        return voltage


def optional_expression(text: str | None) -> Expression | None:
    """Return the condition ``text``, or None where it is absent or empty."""
    return parse(text) if text and text.strip() else None
