"""Compilers and emulated microcontrollers for generated C: :func:`build` a firmware, run it in an :class:`Emulator`."""

from mlpress.sim.mcu.available import emulation_lacks, host_lacks
from mlpress.sim.mcu.avr import avr_sizes, missing, run_avr
from mlpress.sim.mcu.board import EmulatedBoard, Wires, build_board
from mlpress.sim.mcu.counting import Cost, cost
from mlpress.sim.mcu.emulator import Emulator, Run
from mlpress.sim.mcu.host import HostProgram, host_compiler
from mlpress.sim.mcu.qemu import qemu_lacks, run_qemu
from mlpress.sim.mcu.toolchain import WARNINGS, Firmware, Sizes, build, compile_object, find_compiler

__all__ = [
    "WARNINGS",
    "Cost",
    "EmulatedBoard",
    "Emulator",
    "Firmware",
    "HostProgram",
    "Run",
    "Sizes",
    "Wires",
    "avr_sizes",
    "build",
    "build_board",
    "compile_object",
    "cost",
    "emulation_lacks",
    "find_compiler",
    "host_compiler",
    "host_lacks",
    "missing",
    "qemu_lacks",
    "run_avr",
    "run_qemu",
]
