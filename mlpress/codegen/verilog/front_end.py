"""The analogue front end of a circuit with unary inputs: which comparators it needs, and their behaviour in Verilog."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import NamedTuple

from mlpress.codegen.verilog.rtl import Program, sanitised
from mlpress.ir import Input, level_port, level_reach, port_name

LADDER = (
    "Thresholds are taps of a resistor ladder between the two ends of each feature's full scale; a tap costs the same "
    "wherever it is, and the ladder itself is not counted, as in the literature"
)


class Comparator(NamedTuple):
    """One comparator of input ``number``.

    ``port`` is 1 where the ``feature`` is at the ``threshold`` (its own units) or beyond it.

    ``above`` says on which side: above, or below where the code falls as the feature rises.  ``reach`` is the threshold
    on the scale of codes, where the value itself counts (``strict`` is false) or does not.  ``share`` is the place of
    the threshold in the full scale, 0 to 1.
    """

    number: int
    feature: str
    threshold: float
    above: bool
    reach: float
    strict: bool
    share: float
    port: str


def comparators(inputs: tuple[Input, ...]) -> Iterator[Comparator]:
    """Yield the comparators of the unary inputs, in the order of the ports (:func:`mlpress.ir.level_reach`)."""
    for k, feature in enumerate(inputs):
        if feature.interface == "binary":
            continue
        for level in feature.reached:
            at, strict, full = level_reach(feature, level)
            threshold = (at - feature.offset) / feature.scale if feature.scale else float("nan")
            yield Comparator(
                k, feature.name, threshold, feature.scale >= 0, at, strict, at / full, level_port(k, level)
            )


def converters_csv(program: Program) -> str:
    """Return a table of the comparators: feature, threshold in its units, share of full scale, port."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["feature", "threshold", "side", "share_of_full_scale", "port"])
    for each in comparators(program.inputs):
        side = "above" if each.above else "below"
        writer.writerow([sanitised(each.feature), repr(each.threshold), side, repr(each.share), each.port])
    return text.getvalue()


def value_port(number: int) -> str:
    """Return the name of the port of the value of input ``number``."""
    return f"{port_name(number)}_value"


def front_end(program: Program, name: str = "front_end") -> str:
    """Return a behavioural Verilog module: real values in (as float64 bits), one bit per comparator out.

    It does in Verilog's reals what :class:`mlpress.ir.Input` says, so both agree on every value.
    """
    inputs = program.inputs
    found = list(comparators(inputs))
    read = sorted({each.number for each in found})
    ports = [value_port(k) for k in read] + [each.port for each in found]
    lines = [
        f"// {LADDER}.",
        "// Behaviour only, not to be synthesised: each value is the 64 bits of a real ($realtobits).",
        *(f"// {value_port(k)}: {sanitised(inputs[k].name)}" for k in read),
        f"module {name}({', '.join(ports)});",
        *(f"  input [63:0] {value_port(k)};" for k in read),
        *(f"  output {each.port};" for each in found),
    ]
    for k in read:
        scaled = f"$bitstoreal({value_port(k)}) * ({inputs[k].scale!r}) + ({inputs[k].offset!r})"
        lines += [f"  real {port_name(k)}_place;", f"  always @* {port_name(k)}_place = {scaled};"]
    for each in found:
        sign = ">" if each.strict else ">="
        lines.append(f"  assign {each.port} = {port_name(each.number)}_place {sign} {each.reach!r};")
    return "\n".join([*lines, "endmodule"]) + "\n"
