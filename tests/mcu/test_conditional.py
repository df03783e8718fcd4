"""Conditional instructions (Thumb-2's IT) take one cycle where their condition fails."""

import numpy as np
import pytest

from mlpress.hw import mcu
from mlpress.sim.mcu.counting import cycles_of
from mlpress.sim.mcu.emulator import step_of

M4 = mcu.read_core("cortex-m4f")
CODE = bytes.fromhex(
    "0028"  # 0: CMP r0, #0
    "0cbf"  # 2: ITE EQ
    "d1f80020"  # 4: LDREQ.W r2, [r1]
    "4a68"  # 8: LDRNE r2, [r1, #4]
    "08bf"  # a: IT EQ
    "7047"  # c: BXEQ lr
    "0132"  # e: ADDS r2, #1
    "7047"  # 10: BX lr
)


@pytest.mark.parametrize(
    ("trace", "cycles"),
    [
        ([0x0, 0x2, 0x4, 0xA, 0xC], 1 + 1 + 2 + 1 + 1 + 3),  # the second load is not executed
        ([0x0, 0x2, 0x8, 0xA, 0xE, 0x10], 1 + 1 + 1 + 2 + 1 + 1 + 1 + 3),  # nor is the first one, and the return
    ],
)
def test_a_failed_condition_takes_one_cycle(trace: list[int], cycles: int) -> None:
    assert cycles_of(trace, -1, lambda at: step_of(M4, CODE[at : at + 4])) == cycles


def test_an_it_says_how_many_instructions_are_conditional() -> None:
    masks = {0x8: 1, 0x4: 2, 0xC: 2, 0x2: 3, 0xE: 3, 0x1: 4, 0xF: 4, 0x0: 0}  # 0: a NOP
    for mask, count in masks.items():
        code = np.array([0xBF00 | mask], "<u2").tobytes() + b"\0\0"
        assert step_of(M4, code).conditional == count
        assert step_of(mcu.read_core("cortex-m0plus"), code).conditional == 0


def test_the_emulator_leaves_out_what_a_failed_condition_skips() -> None:
    import unicorn

    from mlpress.sim.mcu.emulator import machine

    for value, wanted in ((0, [0x0, 0x2, 0x4, 0xA, 0xC]), (1, [0x0, 0x2, 0x8, 0xA, 0xE, 0x10])):
        emulator, registers = machine(M4.unicorn)
        emulator.mem_map(0x0800_0000, 0x1000)
        emulator.mem_map(0x0700_0000, 0x1000)
        emulator.mem_write(0x0800_0000, CODE)
        for name, number in (("ra", 0x0700_0001), ("a0", value), ("a1", 0x0800_0000)):
            emulator.reg_write(registers[name], number)
        ran: list[int] = []
        emulator.hook_add(unicorn.UC_HOOK_CODE, lambda _uc, at, _size, _data, ran=ran: ran.append(at - 0x0800_0000))
        emulator.emu_start(0x0800_0001, 0x0700_0000)
        assert ran == wanted
