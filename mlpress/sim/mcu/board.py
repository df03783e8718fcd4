"""An emulated board: a core that runs a whole firmware, whose serial line is a pair of Python functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from threading import Event
from typing import Any

from mlpress.codegen.c import CSource
from mlpress.errors import MlpressError
from mlpress.hw.mcu import Core
from mlpress.sim.mcu.counting import CONDITIONAL, Cost, Step, cycles_of
from mlpress.sim.mcu.emulator import machine, step_of
from mlpress.sim.mcu.toolchain import FLASH, RAM, Firmware, build_main

REGISTERS, STACK = 0x4000_0000, 0x20F0_0000
FLASH_BYTES, RAM_BYTES = 0x200_0000, 0x100_0000


@dataclass(frozen=True, slots=True)
class Wires:
    """The serial line of a board: ``receive`` waits for bytes and returns ``b""`` at the end, ``send`` takes some."""

    receive: Callable[[], bytes]
    send: Callable[[bytes], None]


def build_board(source: CSource, files: Mapping[str, str], core: Core, optimise: str = "Os") -> Firmware:
    """Compile and link the ``files`` of a firmware of ``source`` with the functions of the emulated board."""
    board = resources.files("mlpress.sim.mcu").joinpath("board.c").read_text(encoding="ascii")
    return build_main(source, {**files, "board.c": board}, core, optimise)


@dataclass(slots=True)
class _Counter:
    """Cycles of blocks of instructions, which are looked up once each; where a core has conditional instructions,
    of which some in a block may not run, cycles of the instructions one by one."""

    read: Callable[[int, int], bytes]
    core: Core
    known: dict[tuple[int, int], tuple[int, Cost]] = field(default_factory=dict)
    total: int = 0
    end: int = 0
    last: Cost | None = None
    trace: list[int] = field(default_factory=list)
    steps: dict[int, Step] = field(default_factory=dict)

    def enter(self, address: int, size: int) -> None:
        """Count the block at ``address``: the last instruction of the one before is known only now."""
        self.leave(address == self.end)
        block = self.known.get((address, size))
        if block is None:
            block = self.known[address, size] = self._costs(address, size)
        self.total += block[0]
        self.last, self.end = block[1], address + size

    def step(self, address: int) -> None:
        """Note that the instruction at ``address`` runs."""
        self.trace.append(address)

    def leave(self, onward: bool = False) -> None:
        """Count the last instruction of the block that ran, which went on to the next one or elsewhere."""
        if self.last is not None:
            self.total += self.last.onward if onward else self.last.taken
            self.last = None
        self.total += cycles_of(self.trace, -1, self._look)
        self.trace.clear()

    def _look(self, address: int) -> Step:
        if address not in self.steps:
            self.steps[address] = step_of(self.core, self.read(address, 4))
        return self.steps[address]

    def _costs(self, address: int, size: int) -> tuple[int, Cost]:
        code, at, costs = self.read(address, size) + bytes(2), 0, list[Cost]()
        while at < size:
            step = step_of(self.core, code[at : at + 4])
            costs.append(step.cost)
            at += step.size
        return sum(one.onward for one in costs[:-1]), costs[-1]


class EmulatedBoard:
    """A core with a firmware, and the registers of ``board.c``.

    ``board_cycles`` counts the cycles of the model's own functions by the core's table: the clock stands still in the
    rest of the firmware.  A board resets after so many bytes received as ``resets`` says, and loses what it was
    about; ``boots`` is how often it has started.
    """

    def __init__(self, firmware: Firmware, wires: Wires, hz: int = 1_000_000, resets: Sequence[int] = ()) -> None:
        """Load ``firmware``, of :func:`build_board`; its core runs at ``hz``."""
        if not firmware.machine.unicorn:
            raise MlpressError(f"{firmware.machine.name} has no emulator here")
        self._firmware, self._wires, self._hz, self._resets = firmware, wires, hz, sorted(resets)
        self._pending, self._place, self._sent = b"", 0, bytearray()
        self._received = 0
        self._over, self._again = Event(), False
        self.boots = 0

    def run(self) -> None:
        """Run the firmware until the line ends; raise :class:`MlpressError` where it crashes."""
        import unicorn

        while not self._over.is_set():
            self._again = False
            self._sent.clear()
            uc, registers = self._started()
            self.boots += 1
            thumb = 1 if self._firmware.machine.isa == "thumb" else 0
            try:
                uc.emu_start(self._firmware.symbols["main"] & ~thumb | thumb, 0xFFFF_FFFE)
            except unicorn.UcError as error:
                where = uc.reg_read(registers["pc"])
                raise MlpressError(f"the firmware fails in emulation at {where:#x}: {error}") from None

    def stop(self) -> None:
        """End the board at the next byte that it reads."""
        self._over.set()

    def _started(self) -> tuple[Any, dict[str, int]]:
        """Return a core as after a reset: memory as the firmware has it, and a stack."""
        import unicorn

        uc, registers = machine(self._firmware.machine.unicorn)
        uc.mem_map(FLASH, FLASH_BYTES)
        uc.mem_map(RAM, RAM_BYTES)
        for address, data in self._firmware.segments:
            uc.mem_write(address, data)
        uc.reg_write(registers["sp"], STACK)
        counter = _Counter(lambda address, size: bytes(uc.mem_read(address, size)), self._firmware.machine)
        first, behind = self._firmware.counted
        each = self._firmware.machine.counting in CONDITIONAL
        uc.hook_add(
            unicorn.UC_HOOK_CODE if each else unicorn.UC_HOOK_BLOCK,
            lambda _uc, address, size, _data: counter.step(address) if each else counter.enter(address, size),
            begin=first,
            end=behind - 1,
        )

        def read(emulator: Any, offset: int, _size: int, _data: Any) -> int:
            match offset:
                case 0:
                    return self._byte(emulator)
                case 4:
                    counter.leave()
                    return counter.total & 0xFFFF_FFFF
                case 8:
                    return self._hz
                case 12:
                    return self.boots & 0xFFFF
                case 16 | 20:
                    counter.leave()
                    return counter.total * 1_000_000 // self._hz >> 8 * (offset - 16) & 0xFFFF_FFFF
                case _:
                    return 0

        def write(_uc: Any, offset: int, _size: int, value: int, _data: Any) -> None:
            if offset == 0 and not self._again:
                self._sent.append(value & 0xFF)

        uc.mmio_map(REGISTERS, 0x1000, read, None, write, None)
        return uc, registers

    def _byte(self, emulator: Any) -> int:
        """Return the next byte of the line; stop the core where there is none, or where it is to reset."""
        if self._again or self._over.is_set():
            emulator.emu_stop()
            return 0
        if self._place == len(self._pending):
            if self._sent:
                self._wires.send(bytes(self._sent))
                self._sent.clear()
            self._pending, self._place = self._wires.receive(), 0
        if not self._pending:
            self._over.set()
            emulator.emu_stop()
            return 0
        value = self._pending[self._place]
        self._place += 1
        self._received += 1
        if self._resets and self._received >= self._resets[0]:
            self._resets.pop(0)
            self._again, self._pending, self._place = True, b"", 0
            emulator.emu_stop()
        return value
