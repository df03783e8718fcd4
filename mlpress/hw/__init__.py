"""Technologies, mapped netlists, and what they cost: area, timing, power, power sources, input converters."""

from typing import TYPE_CHECKING

from mlpress._lazy import lazy_door

if TYPE_CHECKING:
    from mlpress.hw.adc import AdcCost, Converter, Feed, adc_cost
    from mlpress.hw.boolean import truth_table
    from mlpress.hw.equivalence import OutOfTime, Proven, Refuted, Side, Verdict, prove_equal
    from mlpress.hw.estimation import (
        Estimate,
        InputStatistics,
        VoltageEstimate,
        check_rate,
        estimate,
        full_converters,
    )
    from mlpress.hw.liberty import parse_liberty, read_liberty
    from mlpress.hw.liberty_writer import to_liberty
    from mlpress.hw.linked import Linked, link
    from mlpress.hw.netlist import CellKind, Netlist, Port
    from mlpress.hw.netlist_reader import parse_netlist, read_netlist
    from mlpress.hw.power import Power, estimate_power, state_power
    from mlpress.hw.simulate import NetActivity, PackedNetlist
    from mlpress.hw.sources import LARGEST_AREA_CM2, POWER_SOURCES, PowerSource, sources_for
    from mlpress.hw.synth import Synthesis, check_effort, synthesise
    from mlpress.hw.technology import Cell, Technology
    from mlpress.hw.technology_file import load_technology, technologies
    from mlpress.hw.timing import Step, Timing, critical_path
    from mlpress.hw.vectors import read_vectors

_MODULES = {
    "adc": ("AdcCost", "Converter", "Feed", "adc_cost"),
    "boolean": ("truth_table",),
    "equivalence": ("OutOfTime", "Proven", "Refuted", "Side", "Verdict", "prove_equal"),
    "estimation": ("Estimate", "InputStatistics", "VoltageEstimate", "check_rate", "estimate", "full_converters"),
    "liberty": ("parse_liberty", "read_liberty"),
    "liberty_writer": ("to_liberty",),
    "linked": ("Linked", "link"),
    "netlist": ("CellKind", "Netlist", "Port"),
    "netlist_reader": ("parse_netlist", "read_netlist"),
    "power": ("Power", "estimate_power", "state_power"),
    "simulate": ("NetActivity", "PackedNetlist"),
    "sources": ("LARGEST_AREA_CM2", "POWER_SOURCES", "PowerSource", "sources_for"),
    "synth": ("Synthesis", "check_effort", "synthesise"),
    "technology": ("Cell", "Technology"),
    "technology_file": ("load_technology", "technologies"),
    "timing": ("Step", "Timing", "critical_path"),
    "vectors": ("read_vectors",),
}

__all__ = [
    "LARGEST_AREA_CM2",
    "POWER_SOURCES",
    "AdcCost",
    "Cell",
    "CellKind",
    "Converter",
    "Estimate",
    "Feed",
    "InputStatistics",
    "Linked",
    "NetActivity",
    "Netlist",
    "OutOfTime",
    "PackedNetlist",
    "Port",
    "Power",
    "PowerSource",
    "Proven",
    "Refuted",
    "Side",
    "Step",
    "Synthesis",
    "Technology",
    "Timing",
    "Verdict",
    "VoltageEstimate",
    "adc_cost",
    "check_effort",
    "check_rate",
    "critical_path",
    "estimate",
    "estimate_power",
    "full_converters",
    "link",
    "load_technology",
    "parse_liberty",
    "parse_netlist",
    "prove_equal",
    "read_liberty",
    "read_netlist",
    "read_vectors",
    "sources_for",
    "state_power",
    "synthesise",
    "technologies",
    "to_liberty",
    "truth_table",
]

__getattr__ = lazy_door(__name__, {name: module for module, names in _MODULES.items() for name in names})
