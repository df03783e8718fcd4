"""An AVR by simavr, where avr-gcc, a host compiler and libsimavr are installed; its cycles are simavr's own.

The firmware asks for the next row by writing a general-purpose register, and hands class and scores over through
others; a small host program around libsimavr feeds it and counts.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpress.codegen.c import CSource
from mlpress.errors import MlpressError, OutOfTimeError
from mlpress.hw.mcu import Core
from mlpress.sim.mcu.emulator import Run
from mlpress.sim.mcu.host import host_compiler
from mlpress.sim.mcu.toolchain import SECONDS, Sizes, functions, read_image, run, write_sources

NEXT, DECIDED, BYTE = 0x3E, 0x4A, 0x4B
"""Data addresses of GPIOR0, GPIOR1 and GPIOR2: a write asks for a row, ends a decision, and hands a byte over."""

BOARD = """\
#include <avr/io.h>
%(type)s mlpress_row[%(inputs)d];
int main(void)
{
    for (;;) {
        GPIOR0 = 1;
        %(decide)s
        GPIOR1 = 1;
        %(scores)s
    }
}
"""

RUNNER = """\
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_elf.h>
#include <simavr/sim_io.h>
static unsigned char row[4096];
static size_t size;
static unsigned place;
static avr_cycle_count_t begun;
static void next(avr_t *avr, avr_io_addr_t at, uint8_t value, void *top)
{
    (void)at; (void)value;
    if (fread(row, 1, size, stdin) != size) { fflush(stdout); exit(0); }
    memcpy(avr->data + place, row, size);
    for (unsigned k = *(unsigned *)top; k + 16u < avr->ramend; ++k) { avr->data[k] = 0xA5; }
    begun = avr->cycle;
}
static void decided(avr_t *avr, avr_io_addr_t at, uint8_t value, void *top)
{
    (void)at; (void)value;
    unsigned k = *(unsigned *)top;
    while (k < avr->ramend && avr->data[k] == 0xA5) { ++k; }
    printf("t %lu %u\\n", (unsigned long)(avr->cycle - begun), (unsigned)avr->ramend + 1u - k);
}
static void byte(avr_t *avr, avr_io_addr_t at, uint8_t value, void *top)
{
    (void)avr; (void)at; (void)top;
    printf("b %u\\n", value);
}
int main(int argc, char **argv)
{
    static unsigned top;
    elf_firmware_t firmware;
    memset(&firmware, 0, sizeof firmware);
    if (argc != 6 || elf_read_firmware(argv[1], &firmware)) { return 1; }
    avr_t *avr = avr_make_mcu_by_name(argv[2]);
    avr_init(avr);
    avr->log = 0;
    firmware.frequency = 16000000;
    avr_load_firmware(avr, &firmware);
    place = (unsigned)atoi(argv[3]); size = (size_t)atoi(argv[4]); top = (unsigned)atoi(argv[5]);
    avr_register_io_write(avr, 0x3E, next, &top);
    avr_register_io_write(avr, 0x4A, decided, &top);
    avr_register_io_write(avr, 0x4B, byte, &top);
    for (;;) { int state = avr_run(avr); if (state == cpu_Done || state == cpu_Crashed) { return 2; } }
}
"""


def missing() -> str:
    """Return what is not installed of avr-gcc, a host compiler and simavr's library; empty where all is there."""
    if shutil.which("avr-gcc") is None:
        return "avr-gcc"
    header = any((Path(folder) / "simavr" / "sim_avr.h").exists() for folder in ("/usr/include", "/usr/local/include"))
    return "" if header else "libsimavr-dev"


def run_avr(source: CSource, machine: Core, codes: NDArray[Any], optimise: str = "Os") -> Run:
    """Run ``_predict`` and ``_scores`` on ``codes`` (rows, inputs) in a simulated AVR; every row is counted.

    ``instructions`` is empty: simavr counts cycles.  Raises :class:`MlpressError` where a tool is missing or the
    firmware crashes.
    """
    if missing():
        raise MlpressError(f"{missing()} is not installed; AVR code is simulated by simavr")
    kind = np.dtype(source.code_type.removesuffix("_t"))
    rows = np.ascontiguousarray(codes, dtype=kind)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = write_sources([source], folder)
        (folder / "avr-board.c").write_text(f'#include "{source.name}.h"\n' + _board(source), encoding="ascii")
        (folder / "avr-runner.c").write_text(RUNNER, encoding="ascii")
        image = folder / "board.elf"
        flags = [f"-{optimise}", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections", f"-I{folder}"]
        run([*machine.gcc, *flags, str(whole), str(folder / "avr-board.c"), "-o", str(image)])
        runner = folder / "runner"
        run([*host_compiler("cc"), "-O2", str(folder / "avr-runner.c"), "-o", str(runner), "-lsimavr", "-lelf"])
        place, end = _addresses(image)
        words = [str(runner), str(image), machine.name, str(place), str(rows[0].nbytes), str(end)]
        try:
            done = subprocess.run(words, input=rows.tobytes(), capture_output=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise OutOfTimeError(f"{source.name} did not end in simavr within {SECONDS} s") from None
    if done.returncode:
        raise MlpressError(f"{source.name} crashes in simavr")
    return _read(source, machine, done.stdout.decode("ascii", "replace"), len(rows), optimise)


def avr_sizes(source: CSource, machine: Core, optimise: str = "Os") -> Sizes:
    """Return the bytes of ``_predict`` (or ``_scores``) with all that it needs, of libgcc too, linked by avr-gcc."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = write_sources([source], folder)
        main = functions(source)[1]
        flags = [f"-{optimise}", "-ffunction-sections", "-fdata-sections", "-nostartfiles", "-Wl,--gc-sections"]
        run([*machine.gcc, *flags, f"-Wl,-e,{main}", f"-Wl,-u,{main}", str(whole), "-o", str(folder / "image.elf")])
        return read_image(folder / "image.elf")[2]


def _board(source: CSource) -> str:
    """Return the firmware's main: the class goes out in 2 bytes, a score in 8, the lowest first."""
    send = "GPIOR2 = (uint8_t)v; v >>= 8;"
    decide = f"const int c = {source.name}_predict(mlpress_row);" if source.decides else ""
    lines = []
    if source.decides:
        lines.append(f"{{ uint16_t v = (uint16_t)c; {send} {send} }}")
    if source.score_type is not None:
        call = f"{source.name}_scores(mlpress_row, s);"
        each = f"int64_t v = s[k]; for (n = 0; n < 8; ++n) {{ {send} }}"
        lines.append(
            f"{{ static {source.score_type} s[{source.scores}]; int k, n; {call} "
            f"for (k = 0; k < {source.scores}; ++k) {{ {each} }} }}"
        )
    return BOARD % {
        "type": source.code_type,
        "inputs": source.inputs,
        "decide": decide,
        "scores": "\n        ".join(lines),
    }


def _addresses(image: Path) -> tuple[int, int]:
    """Return the data addresses of the row and of the end of static variables."""
    from elftools.elf.elffile import ELFFile

    with image.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        found = {symbol.name: int(symbol["st_value"]) & 0xFFFF for symbol in table.iter_symbols()}
    return found["mlpress_row"], found["_end"]


def _read(source: CSource, machine: Core, text: str, rows: int, optimise: str) -> Run:
    lines = [line.split() for line in text.splitlines()]
    times = np.array([[int(word) for word in line[1:]] for line in lines if line[0] == "t"], np.int64)
    sent = np.array([int(line[1]) for line in lines if line[0] == "b"], np.uint8).reshape(rows, -1)
    first = 2 if source.decides else 0
    classes = sent[:, :2].copy().view("<u2")[:, 0].astype(np.int64) if source.decides else None
    scores = sent[:, first:].copy().view("<i8").astype(np.int64) if source.score_type is not None else None
    how = f"cycles of simavr ({machine.cycles_source}); avr-gcc -{optimise}"
    return Run(classes, scores, np.zeros(0, np.int64), times[:, 0], int(times[:, 1].max()), how)
