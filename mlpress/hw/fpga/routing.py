"""Placing and routing by nextpnr, in a child process: the WebAssembly builds from PyPI, which need no installation.

A build may read and write the folder of its run alone.  Its first start on a computer compiles it, which takes some
ten seconds, and keeps the result in the user's cache.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from mlpress.children import Ended, Limits, run_child, scratch
from mlpress.errors import MlpressError, OutOfTimeError
from mlpress.hw.fpga.devices import Device

LIMITS = Limits(seconds=1800.0, memory_mb=64 << 10, file_mb=256, threads=2)
"""What a run may use.  Its memory is virtual: a WebAssembly program cannot have over 4 GiB, but reserves more."""

_MOUNT = "/job"
_CHILD = "import sys, importlib; sys.exit(getattr(importlib.import_module(sys.argv[1]), sys.argv[2])(sys.argv[3:]))"


@dataclass(frozen=True, slots=True)
class Routed:
    """A routed design: ``fmax_mhz`` of its clock (None: no register feeds another), ``logic_cells`` and
    ``block_rams`` that it takes, the ``bitstream``, and the name and version of the ``tool``.
    """

    fmax_mhz: float | None
    logic_cells: int
    block_rams: int
    bitstream: bytes
    tool: str


def router_lacks(device: Device) -> str:
    """Return what is missing to place and route for the device; '' where nothing is."""
    return (
        "" if find_spec(device.family.module) else f"no nextpnr for {device.family.name}: pip install 'mlpress[fpga]'"
    )


def route(netlist: str, device: Device, *, seed: int = 1, limits: Limits = LIMITS) -> Routed:
    """Place and route a ``netlist`` in Yosys's JSON, and pack its bitstream; pins are nextpnr's choice.

    Equal arguments give an equal result.  Raises :class:`MlpressError` where nextpnr is not installed or the design
    does not fit, and :class:`OutOfTimeError` where the time ends.
    """
    if lacks := router_lacks(device):
        raise MlpressError(lacks)
    family = device.family
    with scratch("nextpnr", {"netlist.json": netlist}) as folder:
        wanted = ["--json", f"{_MOUNT}/netlist.json", family.written, f"{_MOUNT}/top.config"]
        how = ["--report", f"{_MOUNT}/report.json", "--seed", str(seed), "--freq", str(family.aim_mhz)]
        arguments = [*device.arguments, *wanted, *how, "--timing-allow-fail"]
        done = _run(device, family.router, arguments, folder, limits)
        if done.status or not (folder / "report.json").is_file():
            raise MlpressError(f"nextpnr cannot place and route this for {device.name}: {_error_line(done)}")
        packed = _run(device, family.packer, [f"{_MOUNT}/top.config", f"{_MOUNT}/{family.bitstream}"], folder, limits)
        if packed.status or not (folder / family.bitstream).is_file():
            raise MlpressError(f"the bitstream of {device.name} cannot be packed: {_error_line(packed)}")
        report = json.loads((folder / "report.json").read_text())
        used = {name: int(count["used"]) for name, count in report["utilization"].items()}
        clocks = [float(clock["achieved"]) for clock in report["fmax"].values()]
        return Routed(
            min(clocks, default=None),
            used[family.logic],
            used[family.memory],
            (folder / family.bitstream).read_bytes(),
            _version(done.log),
        )


def _run(device: Device, function: str, arguments: Sequence[str], folder: Path, limits: Limits) -> Ended:
    command = [sys.executable, "-c", _CHILD, device.family.module, function, *arguments]
    paths = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "YOWASP_MOUNT": f"{_MOUNT}={folder}"}
    done = run_child(command, folder, limits, paths)
    if done.status is None:
        raise OutOfTimeError(f"nextpnr did not end within {limits.seconds:g} s; take a smaller design or place=false")
    return done


def _error_line(done: Ended) -> str:
    lines = [line.strip() for line in done.log.splitlines() if line.strip()]
    found = [line for line in lines if line.startswith("ERROR:")] or lines[-1:] or [f"exit code {done.status}"]
    return found[0].removeprefix("ERROR:").strip()[:300]


def _version(log: str) -> str:
    found = re.search(r"Version\s+(\S+)", log)
    return f"nextpnr {found[1].rstrip(')')}" if found else "nextpnr"
