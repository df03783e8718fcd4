"""Names, types, constants and tables as C99 text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_WORDS = """
auto break case char const continue default do double else enum extern float for goto if inline int long register
restrict return short signed sizeof static struct switch typedef union unsigned void volatile while and and_eq asm
bitand bitor bool catch class compl const_cast delete dynamic_cast explicit export false friend mutable namespace
new not not_eq operator or or_eq private protected public reinterpret_cast static_cast template this throw true try
typeid typename using virtual wchar_t xor xor_eq main
"""
_HEADERS = """
arduino assert complex ctype errno fenv inttypes iso646 limits locale math setjmp signal stdalign stdarg stdatomic
stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar wchar wctype
board framed frames mlperf
"""
KEYWORDS = frozenset([*_WORDS.split(), *_HEADERS.split()])
"""Words that C99 or C++ keep for themselves, and names of their headers, which a file of that name would hide."""

WIDTH = 110


def identifier(name: str) -> str:
    """Return ``name`` as a C and C++ identifier of at most 40 characters that neither language reserves."""
    word = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")[:40].strip("_").lower()
    if not word or word[0].isdigit() or word in KEYWORDS:
        word = f"m_{word}".strip("_")
    return word


def comment_text(name: object) -> str:
    """Return ``name`` so that it can stand in a C comment: printable ASCII, and no end of the comment."""
    text = "".join(c if " " <= c <= "~" else "?" for c in str(name))
    return text.replace("*/", "* /").replace("/*", "/ *").replace("\\", "/").replace("??", "? ?")


def fast_type(bound: int) -> str:
    """Return the fastest signed type in which all values of at most ``bound`` in magnitude fit.

    ``int`` has at least 16 bits, and is a register of every core.
    """
    if bound <= 0x7FFF:
        return "int"
    return "int32_t" if bound <= 0x7FFFFFFF else "int64_t"


def store_type(high: int) -> str:
    """Return the smallest unsigned type for 0 to ``high``."""
    if high <= 0xFF:
        return "uint8_t"
    return "uint16_t" if high <= 0xFFFF else "uint32_t"


def signed_type(low: int, high: int) -> str:
    """Return the smallest signed table type for ``low`` to ``high``."""
    for bits in (8, 16, 32):
        if low >= -(1 << (bits - 1)) and high < 1 << (bits - 1):
            return f"int{bits}_t"
    return "int64_t"


def type_bytes(name: str) -> int:
    """Return the bytes of a fixed-width type."""
    return int(name.strip("uint_")) // 8


def number(value: int) -> str:
    """Return a signed constant; each C compiler gives a decimal one the type that it needs."""
    return str(value)


def wrapped(words: Iterable[str], indent: int = 4) -> list[str]:
    """Return ``words`` joined by blanks in lines of at most :data:`WIDTH` characters."""
    lines: list[str] = []
    line = ""
    for word in words:
        if line and len(line) + 1 + len(word) > WIDTH - indent:
            lines.append(" " * indent + line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, " " * indent + line] if line else lines


def table(kind: str, name: str, values: Sequence[int]) -> list[str]:
    """Return the definition of a constant table, kept in flash on an AVR."""
    if kind.startswith("u"):
        digits = 2 * type_bytes(kind)
        words = [f"0x{value:0{digits}X}u," for value in values]
    else:
        words = [f"{number(value)}," for value in values]
    place = "" if kind == "int64_t" else " MLPRESS_FLASH"  # no AVR macro reads 64 bits from flash
    return [f"static const {kind} {name}[{len(values)}]{place} = {{", *wrapped(words), "};", ""]


def read(kind: str, place: str) -> str:
    """Return the expression that reads the table element at the pointer ``place``."""
    return f"MLPRESS_READ{8 * type_bytes(kind)}({place})"


FLASH_MACROS = """\
#if defined(__AVR__)
#include <avr/pgmspace.h>
#define MLPRESS_FLASH PROGMEM
#define MLPRESS_READ8(p) pgm_read_byte(p)
#define MLPRESS_READ16(p) pgm_read_word(p)
#define MLPRESS_READ32(p) pgm_read_dword(p)
#else
#define MLPRESS_FLASH
#define MLPRESS_READ8(p) (*(p))
#define MLPRESS_READ16(p) (*(p))
#define MLPRESS_READ32(p) (*(p))
#endif
"""
