"""System machines of QEMU: a whole firmware with its vectors, which tells classes and scores by semihosting.

A check beside the emulator of :mod:`mlpress.sim.mcu.emulator`: another program decodes the same instructions.
QEMU counts no cycles.  Rows stand in the image, so that there are few of them.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpress.codegen.c import CSource
from mlpress.errors import MlpressError, OutOfTimeError
from mlpress.hw.mcu import Core
from mlpress.sim.mcu.emulator import Run
from mlpress.sim.mcu.toolchain import Compiler, command, compile_object, find_compiler, run

SECONDS = 60

MAIN = """\
#include <stdint.h>
#include "%(name)s.h"
#if defined(__riscv)
static long call(long what, const void *value)
{
    register long a0 __asm__("a0") = what;
    register const void *a1 __asm__("a1") = value;
    __asm__ volatile(".option push\\n.option norvc\\n.balign 16\\n"
                     "slli x0, x0, 0x1f\\nebreak\\nsrai x0, x0, 7\\n.option pop"
                     : "+r"(a0) : "r"(a1) : "memory");
    return a0;
}
#else
static long call(long what, const void *value)
{
    register long r0 __asm__("r0") = what;
    register const void *r1 __asm__("r1") = value;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}
#endif
static const %(code)s rows[%(rows)d][%(inputs)d] = {
%(data)s
};
static void tell(int64_t value)
{
    char text[18];
    uint64_t left = (uint64_t)value;
    int k;
    for (k = 0; k < 16; ++k) {
        text[k] = "0123456789abcdef"[left >> 60];
        left <<= 4;
    }
    text[16] = '\\n';
    text[17] = '\\0';
    call(4, text);
}
void firmware(void);
void firmware(void)
{
    int row;
    for (row = 0; row < %(rows)d; ++row) {
%(body)s
    }
    call(0x18, (const void *)0x20026);
    for (;;) {
    }
}
#if defined(__riscv)
__asm__(".section .start, \\"ax\\"\\n.globl _start\\n_start:\\nla sp, stack_top\\ncall firmware\\n");
#else
extern char stack_top[];
__attribute__((section(".start"), used)) static const void *const vectors[2] = {
    (const void *)stack_top, (const void *)firmware };
#endif
"""
"""SYS_WRITE0 is 4, SYS_EXIT 0x18 with ADP_Stopped_ApplicationExit 0x20026: Arm, Semihosting for AArch32 and AArch64;
RISC-V Semihosting Specification 1.0 has the same numbers."""

SCRIPT = """\
ENTRY(%(entry)s)
SECTIONS {
  . = %(flash)#x;
  .text : { KEEP(*(.start)) *(.text*) *(.rodata* .srodata*) }
  . = %(ram)#x;
  .data : { *(.data* .sdata*) }
  .bss (NOLOAD) : { *(.bss* .sbss* COMMON) }
  stack_top = %(ram)#x + %(size)#x;
  /DISCARD/ : { *(.comment) *(.ARM.*) *(.riscv.attributes) *(.eh_frame*) *(.note*) }
}
"""


def qemu_lacks(machine: Core) -> str:
    """Return why no system machine of QEMU can run ``machine``'s code here; empty where one can."""
    if not machine.qemu:
        return f"QEMU has no machine for {machine.name}"
    return "" if shutil.which(machine.qemu["program"]) else f"{machine.qemu['program']} is not installed"


def run_qemu(
    source: CSource, machine: Core, codes: NDArray[Any], optimise: str = "Os", compiler: Compiler | None = None
) -> Run:
    """Run ``_predict`` and ``_scores`` on ``codes`` (rows, inputs) in a system machine of QEMU; nothing is counted.

    Raises :class:`MlpressError` where QEMU is missing, and where the firmware does not tell all answers.
    """
    if lacks := qemu_lacks(machine):
        raise MlpressError(lacks)
    chosen = compiler or find_compiler(machine)
    board = machine.qemu
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        image = _image(folder, source, machine, codes, optimise, chosen)
        where = ["-kernel", str(image)] if machine.isa == "thumb" else ["-bios", "none", "-kernel", str(image)]
        words = [board["program"], "-M", board["machine"], *where, "-display", "none", "-serial", "none"]
        words += ["-monitor", "none", "-semihosting-config", "enable=on,target=native"]
        try:
            done = subprocess.run(words, capture_output=True, timeout=SECONDS, check=False, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            raise OutOfTimeError(f"{source.name} did not end in QEMU within {SECONDS} s") from None
    told = [line for line in (done.stdout + done.stderr).decode(errors="replace").split() if len(line) == 16]
    each = source.decides + (source.scores if source.score_type is not None else 0)
    if len(told) != each * len(codes):
        first = done.stderr.decode(errors="replace").splitlines()[:1]
        raise MlpressError(f"{source.name} tells {len(told)} of {each * len(codes)} answers in QEMU: {first}")
    values = np.array([int(line, 16) for line in told], np.uint64).astype(np.int64).reshape(len(codes), each)
    return Run(
        values[:, 0] if source.decides else None,
        values[:, int(source.decides) :] if source.score_type is not None else None,
        np.zeros(0, np.int64),
        np.zeros(0, np.int64),
        0,
        f"not counted; QEMU machine {board['machine']}; {chosen} -{optimise}",
    )


def _image(
    folder: Path, source: CSource, machine: Core, codes: NDArray[Any], optimise: str, compiler: Compiler
) -> Path:
    body = []
    if source.decides:
        body.append(f"        tell({source.name}_predict(rows[row]));")
    if source.score_type is not None:
        body.append(f"        {{ {source.score_type} s[{source.scores}]; int k; {source.name}_scores(rows[row], s);")
        body.append(f"        for (k = 0; k < {source.scores}; ++k) {{ tell(s[k]); }} }}")
    words = {
        "name": source.name,
        "code": source.code_type,
        "rows": len(codes),
        "inputs": source.inputs,
        "data": ",\n".join("{" + ", ".join(str(int(value)) for value in row) + "}" for row in codes),
        "body": "\n".join(body),
    }
    compile_object([source], machine, optimise, compiler, folder / "model.o")
    for name, text in source.files.items():
        (folder / name).write_text(text, encoding="ascii")
    (folder / "qemu-main.c").write_text(MAIN % words, encoding="ascii")
    flags = ["-ffreestanding", "-g0", "-Os", "-fno-builtin", "-w", f"-I{folder}"]
    if compiler == "zig":
        flags += ["-fno-sanitize=all", "-fno-unwind-tables", "-fno-asynchronous-unwind-tables", "-fno-stack-protector"]
    run([*command(machine, compiler), *flags, "-c", str(folder / "qemu-main.c"), "-o", str(folder / "main.o")])
    board = machine.qemu
    places = {key: int(board[key], 16) for key in ("flash", "ram", "size")}
    entry = "firmware" if machine.isa == "thumb" else "_start"
    (folder / "link.ld").write_text(SCRIPT % {**places, "entry": entry}, encoding="ascii")
    image, objects = folder / "image.elf", [str(folder / "main.o"), str(folder / "model.o")]
    if compiler == "zig":
        run([sys.executable, "-m", "ziglang", "ld.lld", "-T", str(folder / "link.ld"), *objects, "-o", str(image)])
    else:
        run([*command(machine, compiler), "-nostdlib", f"-Wl,-T,{folder / 'link.ld'}", *objects, "-o", str(image)])
    return image
