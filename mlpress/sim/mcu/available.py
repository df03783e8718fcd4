"""What of the tools is not installed here."""

from __future__ import annotations

import importlib.util

from mlpress.errors import MlpressError
from mlpress.hw.mcu import Core
from mlpress.sim.mcu.avr import missing
from mlpress.sim.mcu.host import host_compiler
from mlpress.sim.mcu.toolchain import find_compiler

EXTRA = "pip install 'mlpress[mcu]'"


def host_lacks() -> str:
    """Return what is missing to run C on this computer, and how to get it; empty where nothing is."""
    if len(host_compiler("cc")) == 1 or importlib.util.find_spec("ziglang") is not None:
        return ""
    return f"no C compiler is installed ({EXTRA}, or install gcc or clang)"


def emulation_lacks(machine: Core) -> str:
    """Return what is missing to run C on an emulated ``machine``, and how to get it; empty where nothing is."""
    if machine.isa == "avr":
        return f"{missing()} is not installed" if missing() else ""
    for module, what in (("unicorn", "the emulator"), ("elftools", "the reader of ELF files")):
        if importlib.util.find_spec(module) is None:
            return f"{what} is not installed ({EXTRA})"
    try:
        find_compiler(machine)
    except MlpressError as error:
        return str(error)
    return ""
