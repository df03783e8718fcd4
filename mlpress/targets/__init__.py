"""Kinds of hardware that mlpress compiles to.  ``docs/new-target.md`` tells how to add one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpress._lazy import callable_door, lazy_door

if TYPE_CHECKING:
    from mlpress.metrics import Metric
    from mlpress.targets.base import (
        Artifact,
        Claim,
        Cost,
        Engine,
        FirmwareTarget,
        Interfaced,
        LineTarget,
        PartsTarget,
        Program,
        Reading,
        RealTarget,
        Rows,
        RunTarget,
        SearchTarget,
        Session,
        Target,
        Trial,
        Values,
        VerilogTarget,
        WaveTarget,
        file_text,
    )
    from mlpress.targets.fits import fitting
    from mlpress.targets.fpga import Fpga
    from mlpress.targets.mcu import Microcontroller
    from mlpress.targets.ngpc import NeuralGraphics
    from mlpress.targets.printed import Printed, PrintedArtifact, power_limit
    from mlpress.targets.table import (
        DEFAULT_TARGET,
        TARGETS,
        Row,
        check_options,
        read_target,
        target_files,
        target_options,
        targets,
    )

_MODULES = {
    "base": (
        "Artifact",
        "Claim",
        "Cost",
        "Engine",
        "FirmwareTarget",
        "Interfaced",
        "LineTarget",
        "Metric",
        "PartsTarget",
        "Program",
        "Reading",
        "RealTarget",
        "Rows",
        "RunTarget",
        "SearchTarget",
        "Session",
        "Target",
        "Trial",
        "Values",
        "VerilogTarget",
        "WaveTarget",
        "file_text",
    ),
    "fits": ("fitting",),
    "fpga": ("Fpga",),
    "mcu": ("Microcontroller",),
    "ngpc": ("NeuralGraphics",),
    "printed": ("Printed", "PrintedArtifact", "power_limit"),
    "table": (
        "DEFAULT_TARGET",
        "TARGETS",
        "Row",
        "check_options",
        "read_target",
        "target_files",
        "target_options",
        "targets",
    ),
}

__all__ = [
    "DEFAULT_TARGET",
    "TARGETS",
    "Artifact",
    "Claim",
    "Cost",
    "Engine",
    "FirmwareTarget",
    "Fpga",
    "Interfaced",
    "LineTarget",
    "Metric",
    "Microcontroller",
    "NeuralGraphics",
    "PartsTarget",
    "Printed",
    "PrintedArtifact",
    "Program",
    "Reading",
    "RealTarget",
    "Row",
    "Rows",
    "RunTarget",
    "SearchTarget",
    "Session",
    "Target",
    "Trial",
    "Values",
    "VerilogTarget",
    "WaveTarget",
    "check_options",
    "file_text",
    "fitting",
    "power_limit",
    "read_target",
    "target_files",
    "target_options",
    "targets",
]

__getattr__ = lazy_door(__name__, {name: module for module, names in _MODULES.items() for name in names})
callable_door(__name__, "targets")
