"""Who drives each net: a net with two drivers, and high impedance, are named before any optimisation hides them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mlpress.errors import MlpressError
from mlpress.yosys.child import run_yosys

FLATTEN = """
hierarchy -check -top {top}
proc
flatten -noscopeinfo
"""
"""The first steps of every elaboration."""

_CONFLICT = re.compile(r"multiple conflicting drivers|[Dd]rivers? conflicting with a constant")
_HIGH_IMPEDANCE = re.compile(
    r"'[sS]?[bBoOdDhH]\s*\w*[zZ?]|\b(?:bufif[01]|notif[01]|r?[np]mos|r?cmos|r?tran(?:if[01])?)\b"
)


def check_drivers(
    sources: Mapping[str, str], reads: str, files: Mapping[str, str], top: str, found: str, **limits: Any
) -> None:
    """Raise :class:`MlpressError` that names a net with two drivers, or one that is driven to ``z``.

    ``found`` is what Yosys's ``check`` said after :data:`FLATTEN`; ``reads`` are the commands that read ``files``.  The
    netlist before optimisation is only written out where ``found`` or the ``sources`` give reason to.
    """
    conflict = _CONFLICT.search(found) is not None
    if not conflict and not any(_HIGH_IMPEDANCE.search(text) for text in sources.values()):
        return
    script = f"{reads}\n{FLATTEN.format(top=top)}\nwrite_json flat.json"
    run = run_yosys(script, files, ["flat.json"], **limits)
    module = json.loads(run.outputs["flat.json"])["modules"][top.removeprefix("\\")]
    for problem in _problems(module):
        raise MlpressError(f"{top.removeprefix(chr(92))}.{problem}")
    if conflict:
        line = next(line for line in found.splitlines() if _CONFLICT.search(line))
        raise MlpressError(f"a net has several drivers: {line.partition(':')[2].strip()}")


def net_name(module: Mapping[str, Any], bit: int | str) -> str:
    """Return the name of a net of Yosys's JSON ``module``: an output's or an inner one's before an input's, none if
    none.
    """
    ports = module["ports"]

    def rank(name: str) -> tuple[bool, bool, int]:
        direction = ports[name]["direction"] if name in ports else ""
        return name.startswith("$"), direction == "input", len(name)

    name = min((name for name, net in module["netnames"].items() if bit in net["bits"]), key=rank, default="")
    if not name or len(module["netnames"][name]["bits"]) == 1:
        return name
    net = module["netnames"][name]
    place = net["bits"].index(bit)
    return f"{name}[{net.get('offset', 0) + (len(net['bits']) - 1 - place if net.get('upto') else place)}]"


def _problems(module: Mapping[str, Any]) -> Iterator[str]:
    drivers: dict[int | str, list[str]] = {}
    for name, port in module["ports"].items():
        for bit in port["bits"]:
            if bit == "z":
                yield f"{name} is driven to z (high impedance); mlpress takes two-valued logic only"
            if port["direction"] == "input":
                drivers.setdefault(bit, []).append(f"the input {name}")
    for cell in module["cells"].values():
        place = cell["attributes"].get("src", "").rpartition("/")[2].split("|")[0]
        for pin, direction in cell["port_directions"].items():
            bits = cell["connections"][pin]
            if direction == "output":
                for bit in bits:
                    drivers.setdefault(bit, []).append(f"logic of {place}" if place else f"a {cell['type']}")
            elif "z" in bits:
                driven = cell["connections"].get("Y", cell["connections"].get("Q", [""]))
                name = net_name(module, driven[min(bits.index("z"), len(driven) - 1)])
                yield f"{name} may be driven to z (high impedance); mlpress takes two-valued logic only"
    for bit, who in drivers.items():
        if isinstance(bit, str) and who[0].startswith("the input "):
            yield f"{who[0].removeprefix('the input ')} is an input, and is driven to the constant {bit} as well"
        known = [f"the constant {bit}", *who] if isinstance(bit, str) else who
        if len(known) > 1:
            both = " and ".join(known) if len(set(known)) > 1 else f"{known[0]}, each"
            yield f"{net_name(module, bit)} has {len(known)} drivers: {both}; drive each net once"
