"""A design as a firmware: C for a board that brings a few functions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mlpress.errors import MlpressError
from mlpress.files import write_folder
from mlpress.targets import FirmwareTarget

if TYPE_CHECKING:
    from mlpress.design import Design

MARKER = "firmware.h"


def write_firmware(design: Design, protocol: str, folder: Path) -> list[str]:
    """Write the firmware that speaks ``protocol`` (``docs/hil.md``) into ``folder``; return the names of its files.

    Raises :class:`MlpressError` where the target has none, for an unknown protocol, and where ``folder`` holds
    something else.
    """
    target = design.target
    if not isinstance(target, FirmwareTarget):
        raise MlpressError(f"target {target.name} has no firmware; compile the model for a microcontroller")
    files = target.firmware(design.artifact, protocol)
    write_folder(folder, files, marker=MARKER)
    return sorted(files)
