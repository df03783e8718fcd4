"""An emulated microcontroller: runs a firmware's functions, counts instructions and cycles, measures the stack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpress.codegen.c import CSource
from mlpress.errors import MlpressError
from mlpress.hw.mcu import Core
from mlpress.sim.mcu.counting import Step, conditional, cost, cycles_of
from mlpress.sim.mcu.toolchain import FLASH, RAM, Firmware

INPUT, OUTPUT, STACK, RETURN = 0x2010_0000, 0x2020_0000, 0x2050_0000, 0x0700_0000
PAINTED = 1 << 18
PAINT = 0xA5
SECONDS = 20


@dataclass(frozen=True, slots=True)
class Run:
    """What a function did on rows.

    ``predictions`` is int64 (rows,) or ``None``, ``scores`` int64 (rows, scores) or ``None``.  ``instructions`` and
    ``cycles``, int64 (counted rows,), are of ``_predict`` (or ``_scores`` where nothing is decided); ``stack`` is its
    deepest stack in bytes over all rows.  ``how`` says how cycles were counted.
    """

    predictions: NDArray[np.int64] | None
    scores: NDArray[np.int64] | None
    instructions: NDArray[np.int64]
    cycles: NDArray[np.int64]
    stack: int
    how: str


class Emulator:
    """A core with a firmware in its memory."""

    def __init__(self, firmware: Firmware, name: str | None = None) -> None:
        """Load ``firmware``; ``name`` chooses one of its sources, the first one by default."""
        if not firmware.machine.unicorn:
            raise MlpressError(f"{firmware.machine.name} has no emulator here")
        self._source = next(one for one in firmware.sources if name in {None, one.name})
        self._firmware = firmware
        self._steps: dict[int, Step] = {}
        self._uc, self._registers = machine(firmware.machine.unicorn)
        self._thumb = 1 if firmware.machine.isa == "thumb" else 0
        for base, size in ((RETURN & ~0xFFFF, 0x10000), (FLASH, 0x200_0000), (RAM, 0x100_0000)):
            self._uc.mem_map(base, size)
        for address, data in firmware.segments:
            self._uc.mem_write(address, data)

    @property
    def source(self) -> CSource:
        """The source whose functions run."""
        return self._source

    def run(self, codes: NDArray[Any], counted: int = 8) -> Run:
        """Run ``_predict`` and ``_scores`` on ``codes`` (rows, inputs); count the first ``counted`` rows."""
        source, uc = self._source, self._uc
        rows = np.ascontiguousarray(codes, dtype=source.code_type.removesuffix("_t"))
        main = f"{source.name}_{'predict' if source.decides else 'scores'}"
        uc.mem_write(STACK - PAINTED, bytes([PAINT]) * PAINTED)
        predictions, instructions, cycles = [], [], []
        for index, row in enumerate(rows):
            uc.mem_write(INPUT, row.tobytes())
            found, steps, spent = self._call(main, index < counted, INPUT, OUTPUT)
            predictions.append(found)
            if index < counted:
                instructions.append(steps)
                cycles.append(spent)
        left = np.frombuffer(bytes(uc.mem_read(STACK - PAINTED, PAINTED)), np.uint8)
        touched = np.flatnonzero(left != PAINT)
        stack = int(PAINTED - touched[0]) if len(touched) else 0
        core = self._firmware.machine
        return Run(
            np.array(predictions, np.int64) if source.decides else None,
            self._scores(rows) if source.score_type is not None else None,
            np.array(instructions, np.int64),
            np.array(cycles, np.int64),
            stack,
            f"instructions of the unicorn emulator, each by the table of {core.cycles_source}; "
            f"{self._firmware.compiler}",
        )

    def quantize(self, features: NDArray[Any]) -> tuple[NDArray[np.int64], float]:
        """Run ``_quantize`` on float32 ``features`` (rows, inputs); return codes and mean cycles per input."""
        source, uc = self._source, self._uc
        kind = np.dtype(source.code_type.removesuffix("_t"))
        codes, spent = [], 0
        for row in np.ascontiguousarray(features, dtype=np.float32):
            uc.mem_write(INPUT, row.tobytes())
            _, _, more = self._call(f"{source.name}_quantize", True, INPUT, OUTPUT)
            spent += more
            codes.append(np.frombuffer(bytes(uc.mem_read(OUTPUT, kind.itemsize * source.inputs)), kind))
        return np.array(codes, np.int64), spent / (len(codes) * source.inputs)

    def _scores(self, rows: NDArray[Any]) -> NDArray[np.int64]:
        source, uc = self._source, self._uc
        kind = np.dtype(str(source.score_type).removesuffix("_t"))
        found = []
        for row in rows:
            uc.mem_write(INPUT, row.tobytes())
            self._call(f"{source.name}_scores", False, INPUT, OUTPUT)
            found.append(np.frombuffer(bytes(uc.mem_read(OUTPUT, kind.itemsize * source.scores)), kind))
        return np.array(found, np.int64)

    def _call(self, function: str, counted: bool, *arguments: int) -> tuple[int, int, int]:
        """Call a function; return its int, and the instructions and cycles that it took where ``counted``."""
        import unicorn

        uc, registers = self._uc, self._registers
        uc.reg_write(registers["sp"], STACK)
        uc.reg_write(registers["ra"], RETURN | self._thumb)
        for place, value in zip(("a0", "a1"), arguments, strict=True):
            uc.reg_write(registers[place], value)
        trace: list[int] = []
        hook = None
        if counted:
            uc.ctl_flush_tb()  # blocks translated before have no hook in them
            hook = uc.hook_add(unicorn.UC_HOOK_CODE, lambda _uc, pc, _size, _data: trace.append(pc))
        start = self._firmware.symbols[function] & ~self._thumb | self._thumb
        try:
            uc.emu_start(start, RETURN, timeout=SECONDS * 1_000_000)
        except unicorn.UcError as error:
            raise MlpressError(f"{function} fails in emulation: {error}") from None
        finally:
            if hook is not None:
                uc.hook_del(hook)
        if uc.reg_read(registers["pc"]) & ~1 != RETURN:
            raise MlpressError(f"{function} did not return within {SECONDS} s of emulation")
        value = uc.reg_read(registers["a0"]) & 0xFFFFFFFF
        return value - (value >> 31 << 32), len(trace), self._cycles(trace) if counted else 0

    def _cycles(self, trace: list[int]) -> int:
        return cycles_of(trace, RETURN, self._look)

    def _look(self, address: int) -> Step:
        if address not in self._steps:
            self._steps[address] = step_of(self._firmware.machine, bytes(self._uc.mem_read(address, 4)))
        return self._steps[address]


def step_of(core: Core, code: bytes) -> Step:
    """Return what is known of the instruction that ``code`` begins with."""
    return Step(size_of(core, code), cost(core.counting, code), conditional(core.counting, code))


def size_of(core: Core, code: bytes) -> int:
    """Return the bytes of the instruction that ``code`` begins with."""
    if core.isa == "thumb":
        return 4 if code[1] >> 3 >= 0b11101 else 2
    return 4 if code[0] & 3 == 3 else 2


def machine(name: str) -> tuple[Any, dict[str, int]]:
    """Return a fresh emulator and the numbers of its registers."""
    try:
        import unicorn
        from unicorn import arm_const as arm
        from unicorn import riscv_const as riscv
    except ImportError:
        raise MlpressError("the emulator is not installed: pip install 'mlpress[mcu]'") from None
    if name == "riscv32":
        uc = unicorn.Uc(unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV32)
        numbers = (riscv.UC_RISCV_REG_SP, riscv.UC_RISCV_REG_RA, riscv.UC_RISCV_REG_A0, riscv.UC_RISCV_REG_A1)
        return uc, dict(zip(("sp", "ra", "a0", "a1", "pc"), (*numbers, riscv.UC_RISCV_REG_PC), strict=True))
    uc = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
    uc.ctl_set_cpu_model(arm.UC_CPU_ARM_CORTEX_M0 if name == "cortex-m0" else arm.UC_CPU_ARM_CORTEX_M33)
    numbers = (arm.UC_ARM_REG_SP, arm.UC_ARM_REG_LR, arm.UC_ARM_REG_R0, arm.UC_ARM_REG_R1)
    return uc, dict(zip(("sp", "ra", "a0", "a1", "pc"), (*numbers, arm.UC_ARM_REG_PC), strict=True))
