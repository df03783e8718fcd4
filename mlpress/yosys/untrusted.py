"""Verilog from anybody, before Yosys sees it: nothing in it may touch another file or load code.

Yosys's Verilog reader opens files for `` `include`` and ``$readmem``, and calls C functions for DPI imports.
All three can be put together from macros, so what macros may do is kept small.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from mlpress.errors import MlpressError

LARGEST_SOURCE = 64 * 2**20
"""Characters of all sources together."""

_DIRECTIVES = frozenset(
    """define undef ifdef ifndef elsif else endif timescale default_nettype resetall celldefine endcelldefine
    unconnected_drive nounconnected_drive""".split()  # noqa: SIM905
)
_FUNCTIONS = frozenset(
    """$signed $unsigned $clog2 $bits $size $high $low $left $right $rtoi $itor $countones $onehot $onehot0
    $isunknown $display $write $strobe $monitor $time $stime $realtime $finish $stop $error $warning $info $fatal
    $dumpvars $dumpon $dumpoff""".split()  # noqa: SIM905
)
_BEHAVIOUR = frozenset(
    """initial forever repeat while wait force release deassign disable event fork join task function specify primitive
    defparam bind program final""".split()  # noqa: SIM905
)
_TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<text>"(?:[^"\\\n]|\\.)*")
      | (?P<escaped>\\[^\s]+)
      | (?P<macro>`\w*)
      | (?P<system>\$\w*)
      | (?P<word>[A-Za-z_][\w$]*)
      | (?P<number>\d[\w$]*)
      | (?P<broken>"|/\*)
      | (?P<other>\s+|.)""",
    re.DOTALL | re.VERBOSE,
)
_FORBIDDEN = re.compile(r"`include\b|\$readmem\w*|\bimport\b(?=[^;]*\")|\"DPI(?:-C)?\"")
_SUSPECT = re.compile(r"[`$\"\\]|/\*")
"""Without any of these, a text has neither a directive, a system function, an escaped name nor a string."""
_GLUED = re.compile(r"[\w$]`|[\w$`]\\\r?\n[ \t]*[\w$`]|[\w$`]/\*(?:[^*]|\*(?!/))*\*/[\w$`]|`define[ \t]+\w+\(")


def read_sources(*paths: str | Path) -> dict[str, str]:
    """Read Verilog files, checked by :func:`check_sources`: file name -> text."""
    sources: dict[str, str] = {}
    for path in map(Path, paths):
        name = path.name
        while name in sources:
            name = f"_{name}"
        try:
            if path.stat().st_size > LARGEST_SOURCE:
                raise MlpressError(f"{path} has over {LARGEST_SOURCE >> 20} MiB; that is no printed circuit")
            sources[name] = path.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise MlpressError(f"cannot read {path}: {error.strerror}; give Verilog files") from error
    check_sources(sources)
    return sources


def check_sources(sources: Mapping[str, str]) -> None:
    """Raise :class:`MlpressError` with file and line where a source reaches outside of itself."""
    if sum(map(len, sources.values())) > LARGEST_SOURCE:
        raise MlpressError(f"the Verilog sources have over {LARGEST_SOURCE >> 20} MiB; that is no printed circuit")
    macros = {name for text in sources.values() for name in re.findall(r"`define\s+(\w+)", text)}
    for name, text in sources.items():
        _check(name, text, macros)


def check_circuit(name: str, text: str, *, reserved: str) -> None:
    """Raise :class:`MlpressError` where Verilog holds more than a circuit: then no simulator should run it.

    Beyond :func:`check_sources`, nothing may happen at a time of its own, be printed, be put together from macros, or
    reach into the module ``reserved`` that the circuit is an instance in.
    """
    check_sources({name: text})
    for match in _TOKEN.finditer(text):
        if _acts(str(match.lastgroup), match.group(), reserved):
            line = text.count("\n", 0, match.start()) + 1
            raise MlpressError(f"{name}:{line}: {match.group()} is not allowed in a circuit that is to be simulated")


def _acts(kind: str, word: str, reserved: str) -> bool:
    """Return whether a word of Verilog does more than describe a circuit."""
    match kind:
        case "macro":
            return True
        case "system":
            return word not in ("$signed", "$unsigned")
        case "word":
            return word == reserved or word in _BEHAVIOUR
        case "escaped":
            return word == f"\\{reserved}"
        case _:
            return word == "#"


def modules(sources: Mapping[str, str]) -> dict[str, bool]:
    """Return modules in the order declared -> is its name used anywhere else (most likely by an instance)?"""
    declared: dict[str, None] = {}
    used: set[str] = set()
    for text in sources.values():
        before = ""
        for match in _TOKEN.finditer(text):
            if match.lastgroup in ("comment", "other", "text"):
                continue
            word = match.group().removeprefix("\\")
            if before in ("module", "macromodule"):
                declared[word] = None
            elif before != "endmodule":
                used.add(word)
            before = word
    return {name: name in used for name in declared}


def instantiated(sources: Mapping[str, str], known: Collection[str]) -> set[str]:
    """Return those of the ``known`` modules that stand where an instance names its module: before a name, or before
    ``#``.
    """
    found: set[str] = set()
    for text in sources.values():
        before = ""
        for match in _TOKEN.finditer(text) if any(name in text for name in known) else ():
            spelling, kind = match.group(), match.lastgroup
            if kind == "comment" or spelling.isspace():
                continue
            if before in known and (kind in ("word", "escaped") or spelling == "#"):
                found.add(before)
            before = spelling
    return found


def choose_top(sources: Mapping[str, str], wanted: str | None) -> str:
    """Return the top module: ``wanted`` where it is there, else the only one that no other one instantiates."""
    known = modules(sources)
    if not known:
        raise MlpressError(f"there is no module in {', '.join(sources)}; give Verilog files")
    if wanted is not None:
        if wanted not in known:
            raise MlpressError(f"there is no module {wanted!r}; the modules are {', '.join(known)}")
        return wanted
    free = [name for name, used in known.items() if not used]
    if len(free) != 1:
        names = ", ".join(free or known)
        raise MlpressError(f"which module is the top one? candidates: {names}; say it with --top")
    return free[0]


def _check(name: str, text: str, macros: set[str]) -> None:
    if not _SUSPECT.search(text):
        return

    def error(position: int, what: str) -> MlpressError:
        return MlpressError(f"{name}:{text.count(chr(10), 0, position) + 1}: {what}")

    if match := _FORBIDDEN.search(text):
        word = match.group()
        raise error(match.start(), f"{word} is not allowed: mlpress reads no file that a source names; write it out")
    if match := _GLUED.search(text):
        raise error(match.start(), "a macro with arguments, or one glued to a word, is not allowed; write it out")
    for match in _TOKEN.finditer(text):
        token = match.group()
        match match.lastgroup:
            case "macro" if token[1:] not in _DIRECTIVES and token[1:] not in macros:
                raise error(match.start(), f"{token} is neither a defined macro nor a known directive")
            case "system" if token not in _FUNCTIONS:
                raise error(match.start(), f"{token} is not supported in a circuit")
            case "escaped" if token.startswith("\\$") or any(part in token for part in ('"', "`", "//", "/*")):
                raise error(match.start(), f"the name {token} is not allowed; rename it")
            case "broken":
                raise error(match.start(), "a string or comment does not end")
            case _:
                pass
