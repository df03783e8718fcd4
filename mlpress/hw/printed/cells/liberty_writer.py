"""A technology as a liberty file, for Yosys and ABC."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from mlpress.hw.printed.cells.boolean import Constant, Expression, Gate, Not, Signal
from mlpress.hw.printed.cells.technology import Arc, Cell, Floats, Table, Technology

_SENSES = {"positive": "positive_unate", "negative": "negative_unate", "none": "non_unate"}
_OPERATORS = {"and": "*", "or": "+", "xor": "^"}


def to_liberty(technology: Technology, voltage: float | None = None, *, for_mapping: bool = True) -> str:
    """Write the cells at ``voltage`` (default: nominal) as liberty text.

    ``for_mapping`` leaves out what synthesis must not use, and divides all times by a power of ten that
    brings them under 1 us: printed gates take milliseconds, and ABC refuses cells slower than 10 us.
    """
    volts = technology.check_voltage(technology.nominal if voltage is None else voltage)
    cells = [cell for cell in technology.cells.values() if not cell.unsupported and not (for_mapping and cell.dont_use)]
    scale = _scale(cells, volts) if for_mapping else 1.0
    return "\n".join(_library(technology, volts, cells, scale)) + "\n"


def _scale(cells: list[Cell], voltage: float) -> float:
    tables = (table for cell in cells for arc in cell.corners[voltage].arcs for table in _tables(arc).values())
    slowest = max((float(table.values.max()) for table in tables if table is not None), default=1.0)
    return 10.0 ** min(0, 3 - math.ceil(math.log10(slowest)))


def _library(technology: Technology, voltage: float, cells: list[Cell], scale: float) -> Iterator[str]:
    yield f"library ({technology.name.replace('-', '_')}) {{"
    yield "  delay_model : table_lookup;"
    yield '  time_unit : "1ns";'
    yield '  voltage_unit : "1V";'
    yield '  current_unit : "1mA";'
    yield '  leakage_power_unit : "1nW";'
    yield '  pulling_resistance_unit : "1kohm";'
    yield "  capacitive_load_unit (1,pf);"
    yield f"  nom_voltage : {voltage:g};"
    for slews, loads in sorted(_shapes(cells, voltage)):
        yield f"  lu_table_template (delay_{slews}x{loads}) {{"
        yield "    variable_1 : input_net_transition;"
        yield "    variable_2 : total_output_net_capacitance;"
        yield f'    index_1 ("{", ".join(map(str, range(slews)))}");'
        yield f'    index_2 ("{", ".join(map(str, range(loads)))}");'
        yield "  }"
    for cell in cells:
        yield from _cell(cell, voltage, scale)
    yield "}"


def _cell(cell: Cell, voltage: float, scale: float) -> Iterator[str]:
    corner = cell.corners[voltage]
    yield f"  cell ({cell.name}) {{"
    yield f"    area : {cell.area_um2:.10g};"
    yield f"    cell_leakage_power : {corner.static_nw:.10g};"
    if cell.dont_use:
        yield "    dont_use : true;"
    for when, value in corner.states:
        yield f'    leakage_power () {{ value : {value:.10g}; when : "{_spell(when)}"; }}'
    if stored := cell.flip_flop:
        yield f"    ff ({stored.state},{stored.inverse}) {{"
        yield f'      clocked_on : "{_spell(stored.clock)}";'
        yield f'      next_state : "{_spell(stored.next_state)}";'
        if stored.clear is not None:
            yield f'      clear : "{_spell(stored.clear)}";'
        if stored.preset is not None:
            yield f'      preset : "{_spell(stored.preset)}";'
        yield "    }"
    for pin in cell.inputs:
        capacitance = corner.capacitance[pin]
        clock = " clock : true;" if cell.flip_flop and cell.flip_flop.clock == Signal(pin) else ""
        yield f"    pin ({pin}) {{"
        yield f"      direction : input;{clock}"
        yield f"      capacitance : {capacitance.typical:.10g};"
        yield f"      rise_capacitance_range ({capacitance.typical:.10g}, {capacitance.rise:.10g});"
        yield f"      fall_capacitance_range ({capacitance.typical:.10g}, {capacitance.fall:.10g});"
        yield "    }"
    for pin, function in cell.outputs.items():
        yield f"    pin ({pin}) {{"
        yield "      direction : output;"
        yield f'      function : "{_spell(function)}";'
        for arc in corner.arcs:
            if arc.output == pin:
                yield from _timing(arc, scale)
        yield "    }"
    yield "  }"


def _timing(arc: Arc, scale: float) -> Iterator[str]:
    kind = "rising_edge" if arc.clocked else "combinational" + ("" if arc.edges == "both" else f"_{arc.edges}")
    yield "      timing () {"
    yield f'        related_pin : "{arc.related}";'
    yield f"        timing_sense : {_SENSES[arc.sense]};"
    yield f"        timing_type : {kind};"
    if arc.when is not None:
        yield f'        when : "{_spell(arc.when)}";'
    for name, table in _tables(arc).items():
        if table is not None:
            yield from _table(name, _widened(table), scale)
    yield "      }"


def _tables(arc: Arc) -> dict[str, Table | None]:
    return {
        "cell_rise": arc.rise,
        "rise_transition": arc.rise_slew,
        "cell_fall": arc.fall,
        "fall_transition": arc.fall_slew,
    }


def _shapes(cells: list[Cell], voltage: float) -> set[tuple[int, int]]:
    """Return the sizes of all tables: ABC wants a template of its own for each."""
    tables = (table for cell in cells for arc in cell.corners[voltage].arcs for table in _tables(arc).values())
    return {_widened(table).values.shape for table in tables if table is not None}


def _widened(table: Table) -> Table:
    """Return the same function at three points per axis or more: ABC reads no shorter table."""
    slews, rows = _three(table.slews, table.values)
    loads, columns = _three(table.loads, rows.T)
    return Table(slews, loads, columns.T)


def _three(points: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Return ``points`` and their rows of ``values``, extended to three points along the same line."""
    while len(points) < 3:
        step = points[-1] - points[-2] if len(points) > 1 else points[-1] + 1.0
        slope = values[-1] - values[-2] if len(points) > 1 else 0.0 * values[-1]
        points, values = np.append(points, points[-1] + step), np.vstack([values, values[-1] + slope])
    return points, values


def _table(name: str, table: Table, scale: float) -> Iterator[str]:
    slews, loads = table.values.shape
    yield f"        {name} (delay_{slews}x{loads}) {{"
    yield f'          index_1 ("{_numbers(table.slews * scale)}");'
    yield f'          index_2 ("{_numbers(table.loads)}");'
    yield "          values (" + ", ".join(f'"{_numbers(row * scale)}"' for row in table.values) + ");"
    yield "        }"


def _numbers(values: Floats) -> str:
    return ", ".join(f"{value:.10g}" for value in values)


def _spell(expression: Expression) -> str:
    match expression:
        case Signal(name):
            return name
        case Constant(value):
            return str(value)
        case Not(of):
            return f"!{_spell(of)}"
        case Gate(kind, left, right):
            return f"({_spell(left)} {_OPERATORS[kind]} {_spell(right)})"
