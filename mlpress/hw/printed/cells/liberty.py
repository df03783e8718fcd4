"""Liberty files as technologies at one supply voltage (``--liberty FILE``).

The attribute names and their meaning follow the Liberty User Guide (Open Source Liberty, 2017.06).
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from mlpress.errors import MlpressError
from mlpress.hw.printed.cells.boolean import Expression, parse, signals, truth_table
from mlpress.hw.printed.cells.liberty_text import LARGEST_FILE, Group, parse_groups
from mlpress.hw.printed.cells.technology import (
    Arc,
    Capacitance,
    Cell,
    Corner,
    Energy,
    FlipFlop,
    Floats,
    Sense,
    Table,
    Technology,
    optional_expression,
)
from mlpress.progress import counted

MOST_INPUTS = 8
"""Inputs of one cell; its truth table has two to that power rows."""

_POWERS = {"": 0, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15}
_SENSES: dict[str, Sense] = {"positive_unate": "positive", "negative_unate": "negative", "non_unate": "none"}
_SLEW = ("input_net_transition", "input_transition_time")
_LOAD = ("total_output_net_capacitance",)


def read_liberty(path: str | Path) -> Technology:
    """Read the technology in a liberty file; :class:`MlpressError` names file and line where it is wrong."""
    file = Path(path)
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise MlpressError(f"{file} has over {LARGEST_FILE >> 20} MiB; cut it down to the cells you use")
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise MlpressError(f"cannot read {file}: {error.strerror}; give a liberty file") from error
    try:
        return parse_liberty(text)
    except MlpressError as error:
        raise MlpressError(f"{file}: {error}") from None


def parse_liberty(text: str) -> Technology:
    """Read the technology that the liberty ``text`` describes."""
    library = parse_groups(text)
    if library.name != "library":
        raise MlpressError(f"liberty line {library.line}: a library group should come first, not {library.name!r}")
    reader = _Library(library)
    name = library.arguments[0] if library.arguments else "library"
    cells = {cell.name: cell for cell in map(reader.cell, library.all("cell"))}
    if not cells:
        raise MlpressError(f"liberty line {library.line}: library {name!r} has no cell")
    return Technology(
        name=name,
        title=f"liberty library {name}",
        nominal=reader.voltage,
        voltages=(reader.voltage,),
        cells=cells,
        sources={"all": f"liberty library {name}"},
        timing={reader.voltage: "the look-up tables of the liberty file"},
    )


class _Library:
    """Units, templates and defaults of a library, and the reading of its cells."""

    def __init__(self, library: Group) -> None:
        self.group = library
        self.ns = _unit(library, "time_unit", "1ns", "s", -9)
        self.nw = _unit(library, "leakage_power_unit", "1nW", "W", -9)
        volts = _unit(library, "voltage_unit", "1V", "V", 0)
        load = "".join(library.values("capacitive_load_unit")) or "1pF"
        self.pf = _scale(library, "capacitive_load_unit", load, "F", -12)
        self.pj = self.pf * volts**2
        self.voltage = round(library.number("nom_voltage") * volts, 6)
        self.templates = {
            group.arguments[0]: group
            for group in library.groups
            if group.name in ("lu_table_template", "power_lut_template") and group.arguments
        }

    def cell(self, group: Group) -> Cell:
        if not group.arguments:
            raise MlpressError(f"liberty line {group.line}: a cell has no name")
        name = group.arguments[0]
        try:
            return self._cell(name, group)
        except MlpressError as error:
            text = str(error)
            where = "" if text.startswith("liberty line") else f"liberty line {group.line}: "
            raise MlpressError(f"{where}{text} (cell {name})") from None

    def _cell(self, name: str, group: Group) -> Cell:
        pins = [(pin, facts) for facts in group.all("pin") for pin in facts.arguments]
        inputs = tuple(pin for pin, facts in pins if facts.text("direction") == "input")
        outs = [(pin, facts) for pin, facts in pins if facts.text("direction") == "output"]
        flip_flop, trap = _flip_flop(group, outs)
        unsupported = trap or _unsupported(group, pins, inputs, outs, flip_flop)
        outputs = {} if unsupported else self._outputs(outs, inputs, flip_flop)
        declared = group.first("latch") is not None and flip_flop is not None
        marked = group.text("dont_use").lower() == "true"
        return Cell(
            name=name,
            area_um2=group.number("area", 0.0),
            inputs=inputs,
            outputs=outputs,
            flip_flop=flip_flop,
            dont_use=unsupported
            or ("declared as a latch, with the timing of a flip-flop" if declared else "")
            or ("marked dont_use in the library" if marked else ""),
            unsupported=unsupported,
            corners={self.voltage: self._corner(group, pins, outputs, flip_flop)},
        )

    def _outputs(
        self, outs: list[tuple[str, Group]], inputs: tuple[str, ...], flip_flop: FlipFlop | None
    ) -> dict[str, Expression]:
        known = {*inputs, *((flip_flop.state, flip_flop.inverse) if flip_flop else ())}
        outputs = {}
        for pin, facts in outs:
            function = parse(facts.text("function"))
            if unknown := [signal for signal in signals(function) if signal not in known]:
                raise MlpressError(f"the function of pin {pin} reads {unknown[0]!r}, which is no input")
            outputs[pin] = function
        return outputs

    def _corner(
        self, group: Group, pins: list[tuple[str, Group]], outputs: dict[str, Expression], flip_flop: FlipFlop | None
    ) -> Corner:
        states: dict[Expression, float] = {}
        default = None
        for leak in group.all("leakage_power"):
            value = leak.number("value") * self.nw
            if when := optional_expression(leak.text("when")):
                states[when] = states.get(when, 0.0) + value
            else:
                default = (default or 0.0) + value
        if "cell_leakage_power" in group.attributes:
            default = group.number("cell_leakage_power") * self.nw
        if default is None:
            default = self.group.number("default_cell_leakage_power", 0.0) * self.nw
            default = sum(states.values()) / len(states) if states and not default else default
        inside = [(pin, facts) for pin, facts in pins if facts.text("direction") in ("input", "output")]
        return Corner(
            static_nw=default,
            states=tuple(states.items()),
            capacitance={pin: self._capacitance(facts) for pin, facts in pins if facts.text("direction") == "input"},
            arcs=tuple(
                arc
                for pin, facts in pins
                if pin in outputs
                for timing in facts.all("timing")
                for arc in self._arcs(pin, timing, outputs, flip_flop)
            ),
            energies=tuple(
                energy
                for pin, facts in inside
                for power in facts.all("internal_power")
                for energy in self._energies(pin, power, outputs)
            ),
        )

    def _capacitance(self, pin: Group) -> Capacitance:
        typical = pin.number("capacitance", self.group.number("default_input_pin_cap", 0.0))
        rise = pin.floats(pin.values("rise_capacitance_range") or [str(pin.number("rise_capacitance", typical))])
        fall = pin.floats(pin.values("fall_capacitance_range") or [str(pin.number("fall_capacitance", typical))])
        return Capacitance(typical * self.pf, max(rise) * self.pf, max(fall) * self.pf)

    def _arcs(self, pin: str, timing: Group, outputs: dict[str, Expression], flip_flop: FlipFlop | None) -> list[Arc]:
        kind = timing.text("timing_type", "combinational")
        clocked = kind in ("rising_edge", "falling_edge")
        if not clocked and (flip_flop or kind not in ("combinational", "combinational_rise", "combinational_fall")):
            return []
        rise, fall = kind != "combinational_fall", kind != "combinational_rise"
        inputs = [name for name in timing.text("related_pin").split() if name not in outputs]
        return [
            Arc(
                output=pin,
                related=related,
                when=optional_expression(timing.text("when")),
                sense=_SENSES.get(timing.text("timing_sense")) or _sense(outputs[pin], related),
                edges="both" if rise and fall else "rise" if rise else "fall",
                clocked=clocked,
                rise=self._table(timing, "cell_rise", self.ns),
                rise_slew=self._table(timing, "rise_transition", self.ns),
                fall=self._table(timing, "cell_fall", self.ns),
                fall_slew=self._table(timing, "fall_transition", self.ns),
            )
            for related in inputs
        ]

    def _energies(self, pin: str, power: Group, outputs: dict[str, Expression]) -> list[Energy]:
        both = self._table(power, "power", self.pj)
        names = power.text("related_pin").split()
        related_pins = [name for name in names if name not in outputs] if names else [None]
        return [
            Energy(
                pin=pin,
                related=related,
                when=optional_expression(power.text("when")),
                supply=power.text("related_pg_pin", "all"),
                rise=self._table(power, "rise_power", self.pj) or both,
                fall=self._table(power, "fall_power", self.pj) or both,
            )
            for related in related_pins
        ]

    def _table(self, parent: Group, name: str, unit: float) -> Table | None:
        group = parent.first(name)
        if group is None:
            return None
        template = self.templates.get(group.arguments[0] if group.arguments else "")
        values = np.array(group.floats([value for row in group.attributes.get("values", []) for value in row])) * unit
        slews, loads, transposed = np.zeros(1), np.zeros(1), False
        for axis in ("1", "2", "3"):
            variable = template.text(f"variable_{axis}") if template else ""
            index = group.values(f"index_{axis}") or (template.values(f"index_{axis}") if template else [])
            if not variable or not index:
                continue
            points = np.array(group.floats(index))
            if np.any(np.diff(points) <= 0):
                raise MlpressError(f"liberty line {group.line}: index_{axis} of {name} must increase")
            if variable in _SLEW:
                slews, transposed = points * self.ns, axis == "2"
            elif variable in _LOAD:
                loads = points * self.pf
            else:
                raise MlpressError(f"liberty line {group.line}: {name} over {variable!r} is not supported")
        if values.size != slews.size * loads.size:
            raise MlpressError(
                f"liberty line {group.line}: {name} has {counted(values.size, 'value')} for {slews.size} x "
                f"{loads.size} points"
            )
        return Table(slews, loads, _grid(values, slews, loads, transposed))


def _grid(values: Floats, slews: Floats, loads: Floats, transposed: bool) -> Floats:
    if transposed:
        return np.ascontiguousarray(values.reshape(loads.size, slews.size).T)
    return values.reshape(slews.size, loads.size)


def _unit(library: Group, name: str, default: str, unit: str, power: int) -> float:
    return _scale(library, name, library.text(name, default), unit, power)


def _scale(library: Group, name: str, text: str, unit: str, power: int) -> float:
    """Return how many ``10**power`` of ``unit`` a text such as ``10ps`` stands for."""
    match = re.fullmatch(rf"([0-9.]+(?:[eE][-+]?\d+)?)?([munpf]?){unit}", text.replace(" ", ""), re.IGNORECASE)
    if match is None:
        raise MlpressError(f"liberty line {library.line}: {name} {text!r} is not a number and a unit of {unit}")
    return float(library.floats([match.group(1) or "1"])[0] * 10.0 ** (_POWERS[match.group(2).lower()] - power))


def _flip_flop(group: Group, outs: list[tuple[str, Group]]) -> tuple[FlipFlop | None, str]:
    """Return the flip-flop of a cell; a latch whose outputs have only clock-edge arcs from its enable is one as
    well."""
    ff, latch = group.first("ff"), group.first("latch")
    stored = ff or latch
    if stored is None:
        return None, ""
    clock = stored.text("clocked_on") if ff else stored.text("enable")
    types = {
        timing.text("timing_type") for _, facts in outs for timing in facts.all("timing")
        if timing.text("related_pin") == clock.strip("() !'")
    }  # fmt: skip
    if ff is None and types != {"rising_edge"}:
        return None, "a level-sensitive latch, which mlpress does not simulate"
    if len(stored.arguments) != 2:
        raise MlpressError(f"liberty line {stored.line}: {stored.name} needs two state names")
    return (
        FlipFlop(
            state=stored.arguments[0],
            inverse=stored.arguments[1],
            clock=parse(clock),
            next_state=parse(stored.text("next_state") if ff else stored.text("data_in")),
            clear=optional_expression(stored.text("clear")),
            preset=optional_expression(stored.text("preset")),
        ),
        "",
    )


def _unsupported(
    group: Group,
    pins: list[tuple[str, Group]],
    inputs: tuple[str, ...],
    outs: list[tuple[str, Group]],
    flip_flop: FlipFlop | None,
) -> str:
    """Return why a netlist with this cell cannot be simulated, or nothing."""
    names = {pin for pin, _ in outs}
    if group.first("statetable") or group.first("ff_bank") or group.first("latch_bank") or group.first("bus"):
        return "a cell of several stored bits or with buses, which mlpress does not simulate"
    if len(inputs) > MOST_INPUTS:
        return f"a cell of over {MOST_INPUTS} inputs"
    if any("three_state" in facts.attributes for _, facts in outs):
        return "a tri-state driver, which mlpress does not simulate"
    if any(facts.text("direction") not in ("input", "output", "internal") for _, facts in pins):
        return "a cell with a pin that is neither input nor output"
    if not outs or any("function" not in facts.attributes for _, facts in outs):
        return "a cell with an output that has no function"
    if flip_flop is None and any(
        name in names
        for _, facts in outs
        for timing in facts.all("timing")
        for name in timing.text("related_pin").split()
    ):
        return "a set-reset latch declared as combinational (its outputs follow each other)"
    return ""


def _sense(function: Expression, pin: str) -> Sense:
    """Return the unateness of ``function`` in ``pin``."""
    names = signals(function)
    if pin not in names:
        return "none"
    others = [name for name in names if name != pin]
    table, half = truth_table(function, [*others, pin]), 1 << len(others)
    low, high = table & ((1 << half) - 1), table >> half
    if low & ~high == 0:
        return "positive"
    return "negative" if high & ~low == 0 else "none"
