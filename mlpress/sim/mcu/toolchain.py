"""Compilers: the Zig wheel's clang for every core, or an installed cross gcc; and the firmware that they make.

A firmware holds the generated functions alone.  Nothing of a compiler's library is linked: a source that needs one
does not link, and the error names what is missing.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from mlpress.codegen.c import CSource
from mlpress.errors import MlpressError
from mlpress.hw.mcu import Core

Compiler = Literal["zig", "gcc"]
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror", "-std=c99", "-pedantic")
FLASH, RAM = 0x0800_0000, 0x2000_0000
SCRIPT = """\
SECTIONS {
  . = 0x08000000;
  .text : { *(.text*) *(.rodata* .srodata*) }
  .ARM.exidx : { *(.ARM.exidx*) }
  . = 0x20000000;
  .data : { *(.data* .sdata*) }
  .bss (NOLOAD) : { *(.bss* .sbss* COMMON) }
  /DISCARD/ : { *(.comment) *(.ARM.attributes) *(.riscv.attributes) *(.eh_frame*) *(.note*) *(.ARM.exidx*) }
}
"""
PGMSPACE = """\
#define PROGMEM __attribute__((section(".progmem.data")))
#define MLPRESS_LPM(p, at) (__extension__({ uint8_t v_; \\
    __asm__ volatile("lpm %0, Z" : "=r"(v_) : "z"((const uint8_t *)(const void *)(p) + (at))); v_; }))
#define pgm_read_byte(p) MLPRESS_LPM(p, 0)
#define pgm_read_word(p) ((uint16_t)(MLPRESS_LPM(p, 0) | ((uint16_t)MLPRESS_LPM(p, 1) << 8)))
#define pgm_read_dword(p) \\
    ((uint32_t)pgm_read_word(p) | ((uint32_t)pgm_read_word((const uint8_t *)(const void *)(p) + 2) << 16))
"""
"""What avr-libc's header of this name gives, for a compiler that comes without avr-libc."""

SECONDS = 300


class Written(Protocol):
    """Files of C."""

    @property
    def files(self) -> Mapping[str, str]:
        """Text by file name."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes of an image: ``flash`` holds code, constants and initial values, ``ram`` static variables."""

    flash: int
    ram: int


@dataclass(frozen=True, slots=True)
class Firmware:
    """A linked image of one source or of several.

    ``segments`` are the bytes at an address, ``symbols`` the addresses of functions.  ``sizes`` are those of
    ``_predict`` (or ``_scores``) of the first source alone, with all that it needs; of a whole program, they are its
    own, and ``counted`` are the addresses, first and behind the last, of the functions of its source.
    """

    machine: Core
    sources: tuple[CSource, ...]
    segments: tuple[tuple[int, bytes], ...]
    symbols: Mapping[str, int]
    sizes: Sizes
    compiler: str
    counted: tuple[int, int] = (0, 0)


def find_compiler(machine: Core) -> Compiler:
    """Return the compiler that is there: the Zig wheel, or else the core's cross gcc."""
    if importlib.util.find_spec("ziglang") is not None:
        return "zig"
    if shutil.which(machine.gcc[0]) is not None:
        return "gcc"
    raise MlpressError(f"no compiler for {machine.name}: pip install 'mlpress[mcu]', or install {machine.gcc[0]}")


def command(machine: Core, compiler: Compiler) -> list[str]:
    """Return the first words of a command that compiles for ``machine``."""
    return [sys.executable, "-m", "ziglang", "cc", *machine.zig] if compiler == "zig" else [*machine.gcc]


def run(words: Sequence[str]) -> str:
    """Run a tool and return its output; raise :class:`MlpressError` with its first lines where it fails."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS, check=False)
    except FileNotFoundError:
        raise MlpressError(f"{words[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise MlpressError(f"{Path(words[0]).name} did not end within {SECONDS} s") from None
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        wrong = (line for line in lines if "error" in line and "ld returned" not in line)
        told = next(wrong, lines[0] if lines else "no message")
        raise MlpressError(f"the compiler refuses the source: {told}")
    return done.stdout


def write_sources(sources: Sequence[Written], folder: Path) -> Path:
    """Write all files of ``sources`` into ``folder``; return one C file that includes them all."""
    for source in sources:
        for name, text in source.files.items():
            (folder / name).write_text(text, encoding="ascii")
    whole = folder / "all-sources.c"
    parts = [f'#include "{name}"\n' for source in sources for name in source.files if name.endswith(".c")]
    whole.write_text("".join(parts), encoding="ascii")
    return whole


def compile_object(sources: Sequence[Written], machine: Core, optimise: str, compiler: Compiler, target: Path) -> None:
    """Compile ``sources`` into the object file ``target``; any warning is an error."""
    with tempfile.TemporaryDirectory() as name:
        whole = write_sources(sources, Path(name))
        flags = ["-ffreestanding", "-ffunction-sections", "-fdata-sections", "-fno-ident", "-g0"]
        if compiler == "zig":
            header = Path(name) / "avr" / "pgmspace.h"
            header.parent.mkdir()
            header.write_text(PGMSPACE, encoding="ascii")
            flags += [f"-isystem{name}", "-Wno-unused-command-line-argument"]
            flags += [
                "-fno-sanitize=all",
                "-fno-unwind-tables",
                "-fno-asynchronous-unwind-tables",
                "-fno-stack-protector",
            ]
        run([*command(machine, compiler), *flags, *WARNINGS, f"-{optimise}", "-c", str(whole), "-o", str(target)])


def build(
    sources: CSource | Sequence[CSource], machine: Core, optimise: str = "Os", compiler: Compiler | None = None
) -> Firmware:
    """Compile and link ``sources`` for ``machine``; ``optimise`` is ``Os``, ``O2`` or another level.

    Raises :class:`MlpressError` where no compiler is there, and where the source needs a function of a library.
    """
    many = tuple(sources) if isinstance(sources, Sequence) else (sources,)
    chosen = compiler or find_compiler(machine)
    if machine.isa == "avr":
        raise MlpressError("AVR code is compiled to objects here; link it with avr-gcc")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        compile_object(many, machine, optimise, chosen, folder / "all.o")
        (folder / "link.ld").write_text(SCRIPT, encoding="ascii")
        main = functions(many[0])[1]
        one = _link(folder, machine, chosen, [main])
        whole = _link(folder, machine, chosen, [name for source in many for name in functions(source)])
    segments, symbols, _ = whole
    return Firmware(machine, many, segments, symbols, one[2], f"{chosen} -{optimise}")


Image = tuple[tuple[tuple[int, bytes], ...], dict[str, int], Sizes]


def build_main(
    source: CSource,
    files: Mapping[str, str],
    machine: Core,
    optimise: str = "Os",
    compiler: Compiler | None = None,
) -> Firmware:
    """Compile and link a whole program: ``source``, and the ``files`` of a main with its board.

    Both are compiled apart, so that the functions of ``source`` stay what :func:`build` makes of them; they alone are
    the ``counted`` code.  Raises :class:`MlpressError` as :func:`build` does.
    """
    chosen = compiler or find_compiler(machine)
    if machine.isa == "avr":
        raise MlpressError(f"no firmware is linked for {machine.name} here; compile its files with avr-gcc")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        compile_object([source], machine, optimise, chosen, folder / "all.o")
        headers = {name: text for name, text in files.items() if name.endswith(".h")}
        mains = {name: text for name, text in files.items() if name.endswith(".c") and name not in source.files}
        compile_object([_Files({**headers, **mains})], machine, optimise, chosen, folder / "main.o")
        (folder / "link.ld").write_text(SCRIPT, encoding="ascii")
        segments, symbols, sizes = _link(folder, machine, chosen, ["main"], ("all.o", "main.o"))
        counted = _extent(folder / "image.elf", _functions_of(folder / "all.o"))
    return Firmware(machine, (source,), segments, symbols, sizes, f"{chosen} -{optimise}", counted)


@dataclass(frozen=True, slots=True)
class _Files:
    """Files that are compiled together."""

    files: Mapping[str, str]


def _functions_of(path: Path) -> set[str]:
    """Return the names of the functions of an ELF file."""
    from elftools.elf.elffile import ELFFile

    with path.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        return {symbol.name for symbol in table.iter_symbols() if symbol["st_info"]["type"] == "STT_FUNC"}


def _extent(path: Path, names: set[str]) -> tuple[int, int]:
    """Return the addresses from the first to behind the last of these functions of an ELF file."""
    from elftools.elf.elffile import ELFFile

    with path.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        kept = [one for one in table.iter_symbols() if one["st_info"]["type"] == "STT_FUNC" and one.name in names]
        starts = [int(one["st_value"]) & ~1 for one in kept]
        return min(starts), max(start + int(one["st_size"]) for start, one in zip(starts, kept, strict=True))


def _link(
    folder: Path, machine: Core, compiler: Compiler, roots: Sequence[str], objects: Sequence[str] = ("all.o",)
) -> Image:
    target = folder / "image.elf"
    kept = folder / "roots.ld"
    kept.write_text("".join(f"EXTERN({root})\n" for root in roots) + f"ENTRY({roots[0]})\n" + SCRIPT, encoding="ascii")
    words = ["-T", str(kept), "--gc-sections", *[str(folder / one) for one in objects], "-o", str(target)]
    if compiler == "zig":
        run([sys.executable, "-m", "ziglang", "ld.lld", *words])
    else:
        linker = [word if word.startswith("/") or word == "-T" else f"-Wl,{word}" for word in words[:3]]
        run([*command(machine, compiler), "-nostdlib", *linker, *words[3:]])
    return read_image(target)


def read_image(path: Path) -> Image:
    """Return the segments, the symbols and the sizes of an ELF file."""
    from elftools.elf.elffile import ELFFile

    segments = []
    flash = ram = 0
    with path.open("rb") as file:
        elf = ELFFile(file)
        for section in elf.iter_sections():
            if not section["sh_flags"] & 2:  # SHF_ALLOC
                continue
            size, writable = int(section["sh_size"]), bool(section["sh_flags"] & 1)
            empty = section["sh_type"] == "SHT_NOBITS"
            flash += 0 if empty else size
            ram += size if writable else 0
            if size and not empty:
                segments.append((int(section["sh_addr"]), bytes(section.data())))
        table = elf.get_section_by_name(".symtab")
        symbols = {symbol.name: int(symbol["st_value"]) for symbol in table.iter_symbols() if symbol.name}
    return tuple(segments), symbols, Sizes(flash, ram)


def functions(source: CSource) -> list[str]:
    """Return the names of the public functions."""
    names = [f"{source.name}_quantize"]
    if source.decides:
        names.append(f"{source.name}_predict")
    if source.score_type is not None:
        names.append(f"{source.name}_scores")
    return names
