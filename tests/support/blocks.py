"""The code blocks of README and docs, and the files that they work on."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlpress.cli import main

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")))
LANGUAGES = ("sh", "python")
NOT_RUN = re.compile(r"<!-- not run: (.+) -->\n\Z")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHORTER = {"--budget 2m": "--budget 6s", "--seconds 60": "--seconds 6"}
"""Searches get less time here than on the page; all else runs as it stands."""

VERILOG = "module top(input [3:0] x0, input [3:0] x1, output y);\n  assign y = x0 + x1 > 5'd12;\nendmodule\n"
VECTORS = "x0,x1\n" + "".join(f"{k % 16},{k // 16}\n" for k in range(256))


@dataclass(frozen=True)
class Block:
    """A block of code; ``reason`` says why it is not run, if it is not."""

    page: str
    line: int
    language: str
    code: str
    reason: str | None


def blocks(page: str) -> Iterator[Block]:
    """The blocks of a page in languages that can run."""
    text = (ROOT / page).read_text()
    for found in FENCE.finditer(text):
        marked = NOT_RUN.search(text, 0, found.start())
        if found[1] in LANGUAGES:
            line = text.count("\n", 0, found.start()) + 1
            yield Block(page, line, found[1], found[2], None if marked is None else marked[1])


def first_block(page: str) -> str:
    """The code of a page's first Python block."""
    return next(block.code for block in blocks(page) if block.language == "python")


def make_files(folder: Path) -> None:
    """Write what the pages speak of, but fields: model.onnx, train.csv, test.csv, Verilog, cells.

    The folder must be the current one.
    """
    from mlpress.hw import printed

    execute(first_block("docs/tutorials/printed.md"), {"__name__": "__main__"})
    shutil.copy("test.csv", "more.csv")
    (folder / "any.v").write_text(VERILOG)
    (folder / "rows.csv").write_text(VECTORS)
    egfet = printed.load_technology("egfet")
    (folder / "cells.lib").write_text(printed.to_liberty(egfet, for_mapping=False))
    (folder / "netlist.v").write_text(NETLIST)


NETLIST = """module top(input [3:0] x0, input [3:0] x1, output y);
  wire a, b;
  NAND2X1 g0 (.A1(x0[3]), .A2(x1[3]), .Y(a));
  NAND2X1 g1 (.A1(x0[2]), .A2(x1[2]), .Y(b));
  NAND2X1 g2 (.A1(a), .A2(b), .Y(y));
endmodule
"""


def execute(code: str, defined: dict[str, Any]) -> None:
    """Run Python as a script would."""
    exec(compile(code, "a block", "exec"), defined)


def run(block: Block, defined: dict[str, Any]) -> None:
    """Run a block in the current folder; a shell's commands must be mlpress's, or installations, which are left out."""
    if block.language == "python":
        execute(block.code, defined)
        return
    code = block.code
    for given, short in SHORTER.items():
        code = code.replace(given, short)
    for line in code.splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["mlpress"]:
            status = command(words[1:])
            assert status == 0, f"{block.page}, line {block.line}: {line!r} ended with {status}"
        else:
            assert not words or words[:2] == ["pip", "install"], f"{block.page}, line {block.line}: {line!r}"


def command(words: list[str]) -> Any:
    """Run mlpress in this process and return its exit code."""
    try:
        main(words)
    except SystemExit as end:
        return end.code or 0
    return 0
