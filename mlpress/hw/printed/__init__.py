"""Technologies, mapped netlists, and what they cost: area, timing, power, power sources, input converters."""

from typing import TYPE_CHECKING

from mlpress._lazy import lazy_door

if TYPE_CHECKING:
    from mlpress.hw.printed.cells.boolean import truth_table
    from mlpress.hw.printed.cells.liberty import parse_liberty, read_liberty
    from mlpress.hw.printed.cells.liberty_writer import to_liberty
    from mlpress.hw.printed.cells.technology import Cell, Comparator, Technology, cm2
    from mlpress.hw.printed.cells.technology_file import load_technology, technologies
    from mlpress.hw.printed.cost.adc import AdcCost, Converter, Feed, adc_cost
    from mlpress.hw.printed.cost.estimation import (
        Estimate,
        InputStatistics,
        VoltageEstimate,
        check_rate,
        estimate,
        full_converters,
    )
    from mlpress.hw.printed.cost.power import Power, estimate_power, state_power
    from mlpress.hw.printed.cost.sources import LARGEST_AREA_CM2, POWER_SOURCES, PowerSource, sources_for
    from mlpress.hw.printed.cost.spending import Cone, needs, spending
    from mlpress.hw.printed.cost.timing import Step, Timing, critical_path
    from mlpress.hw.printed.netlist.copies import run_copies
    from mlpress.hw.printed.netlist.linked import Linked, link
    from mlpress.hw.printed.netlist.machine import NetlistMachine
    from mlpress.hw.printed.netlist.netlist import CellKind, Netlist, Port
    from mlpress.hw.printed.netlist.netlist_reader import parse_netlist, read_netlist
    from mlpress.hw.printed.netlist.simulate import NetActivity, PackedNetlist
    from mlpress.hw.printed.netlist.vectors import read_vectors
    from mlpress.hw.printed.synthesis.synth import Synthesis, check_effort, synthesise

_MODULES = {
    "cost.adc": ("AdcCost", "Converter", "Feed", "adc_cost"),
    "cells.boolean": ("truth_table",),
    "netlist.copies": ("run_copies",),
    "netlist.machine": ("NetlistMachine",),
    "cost.estimation": ("Estimate", "InputStatistics", "VoltageEstimate", "check_rate", "estimate", "full_converters"),
    "cells.liberty": ("parse_liberty", "read_liberty"),
    "cells.liberty_writer": ("to_liberty",),
    "netlist.linked": ("Linked", "link"),
    "netlist.netlist": ("CellKind", "Netlist", "Port"),
    "netlist.netlist_reader": ("parse_netlist", "read_netlist"),
    "cost.power": ("Power", "estimate_power", "state_power"),
    "netlist.simulate": ("NetActivity", "PackedNetlist"),
    "cost.sources": ("LARGEST_AREA_CM2", "POWER_SOURCES", "PowerSource", "sources_for"),
    "cost.spending": ("Cone", "needs", "spending"),
    "synthesis.synth": ("Synthesis", "check_effort", "synthesise"),
    "cells.technology": ("Cell", "Comparator", "Technology", "cm2"),
    "cells.technology_file": ("load_technology", "technologies"),
    "cost.timing": ("Step", "Timing", "critical_path"),
    "netlist.vectors": ("read_vectors",),
}

__all__ = [
    "LARGEST_AREA_CM2",
    "POWER_SOURCES",
    "AdcCost",
    "Cell",
    "CellKind",
    "Comparator",
    "Cone",
    "Converter",
    "Estimate",
    "Feed",
    "InputStatistics",
    "Linked",
    "NetActivity",
    "Netlist",
    "NetlistMachine",
    "PackedNetlist",
    "Port",
    "Power",
    "PowerSource",
    "Step",
    "Synthesis",
    "Technology",
    "Timing",
    "VoltageEstimate",
    "adc_cost",
    "check_effort",
    "check_rate",
    "cm2",
    "critical_path",
    "estimate",
    "estimate_power",
    "full_converters",
    "link",
    "load_technology",
    "needs",
    "parse_liberty",
    "parse_netlist",
    "read_liberty",
    "read_netlist",
    "read_vectors",
    "run_copies",
    "sources_for",
    "spending",
    "state_power",
    "synthesise",
    "technologies",
    "to_liberty",
    "truth_table",
]

__getattr__ = lazy_door(__name__, {name: module for module, names in _MODULES.items() for name in names})
