"""The text form of programs: lossless, readable, and read back without trust.

The first line says the kind and the version of the format: ``mlpress net 1``.  ``docs/ir.md`` has the grammar.
"""

from __future__ import annotations

from typing import assert_never

from mlpress.errors import MlpressError
from mlpress.ir.circuit import Circuit
from mlpress.ir.limits import MAX_TEXT
from mlpress.ir.model import Model
from mlpress.ir.net import Net
from mlpress.ir.scan import Lines
from mlpress.ir.text_circuit import circuit_lines, read_circuit
from mlpress.ir.text_model import model_lines, read_model
from mlpress.ir.text_net import net_lines, read_net
from mlpress.ir.verify import verify


def to_text(program: Net | Model | Circuit) -> str:
    """Write the text form of a verified program; ``from_text`` gives an equal program back."""
    match program:
        case Net():
            return "\n".join(["mlpress net 1", *net_lines(program), ""])
        case Model():
            return "\n".join(["mlpress model 1", *model_lines(program), ""])
        case Circuit():
            return "\n".join(["mlpress circuit 1", *circuit_lines(program), ""])
        case _:
            assert_never(program)


def from_text(text: str) -> Net | Model | Circuit:
    """Read and verify a program; raise :class:`MlpressError` naming the line, or the broken rule's place."""
    if len(text) > MAX_TEXT:
        raise MlpressError(f"the text has {len(text)} characters; a program has at most {MAX_TEXT}")
    lines = Lines(text)
    program = _read(lines)
    lines.end()
    verify(program)
    return program


def _read(lines: Lines) -> Net | Model | Circuit:
    header = lines.take("mlpress")
    kind = header.keyword("net", "model", "circuit")
    version = header.integer("the format's version")
    if version != 1:
        header.fail(f"format version {version} is not known; this mlpress reads version 1")
    header.end()
    match kind:
        case "net":
            return read_net(lines)
        case "model":
            return read_model(lines)
        case _:
            return read_circuit(lines)
