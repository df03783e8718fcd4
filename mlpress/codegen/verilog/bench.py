"""A self-checking test bench: vectors inside, one line with the count at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlpress.codegen.verilog.front_end import comparators, value_port
from mlpress.codegen.verilog.rtl import Program
from mlpress.errors import MlpressError
from mlpress.ir import Bits, bits_of, port_columns, program_of, run

Port = tuple[str, int]
"""A port's name and width."""

MOST_ROWS, LEAST_ROWS = 256, 4
"""Rows of a test bench, however small or large the circuit is."""

BENCH_SECONDS = 10.0
"""Processor time of Icarus Verilog that the rows are meant to fill."""


@dataclass(frozen=True, slots=True)
class TestBench:
    """A self-checking Verilog test bench: its ``text``, and the ``rows`` that it must say to have passed."""

    __test__ = False  # for pytest

    text: str
    rows: int

    @property
    def verdict(self) -> str:
        """The one line that it prints where all rows are right."""
        return f"PASS: {self.rows} rows"


def testbench(
    program: Program,
    codes: NDArray[np.int64],
    *,
    name: str = "top",
    registered: bool = False,
    stages: int = 1,
    most: int | None = None,
    features: NDArray[np.float64] | None = None,
) -> TestBench:
    """Write a Verilog module ``<name>_tb`` that drives rows of ``codes`` (rows, inputs) and knows the right answers.

    It prints ``PASS: n rows``, or a line for each wrong row and ``FAIL: k of n rows``.  Of more than ``most`` rows
    (default: as many as Icarus Verilog runs in about ten seconds) it takes that many, spread evenly.  With real
    ``features`` (rows, inputs), whose codes these are, it drives the module ``front_end`` with them, and its
    comparators drive the ports (:func:`mlpress.codegen.front_end`).
    """
    if not len(codes):
        raise MlpressError("a test bench needs at least one row")
    bits = bits_of(program)
    most = _worth_rows(bits) if most is None else most
    if len(codes) > most:
        some = np.linspace(0, len(codes) - 1, most).astype(np.int64)
        codes, features = codes[some], None if features is None else features[some]
    inputs = list(bits.inputs)
    columns = port_columns(program.inputs, codes)
    levels = [] if features is None else [each.port for each in comparators(program.inputs)]
    sensors = {} if features is None else _sensors(program, features)
    columns = sensors | {port: column for port, column in columns.items() if port not in levels}
    driven = [(port, 64) for port in sensors] + [(port, size) for port, size in inputs if port not in levels]
    outputs = [(port, len(word)) for port, (word, _) in bits.outputs.items()]
    answers = run(program_of(program), codes).words
    width = sum(size for _, size in (*driven, *outputs))
    ports = [*driven, *outputs]
    rows = [_word(ports, row) for row in np.column_stack([*columns.values(), answers]).tolist()]
    digits = -(-width // 4)
    vectors = "\n".join(f"    rows[{k}] = {width}'h{word:0{digits}x};" for k, word in enumerate(rows))
    fields = _fields(ports, width)
    wires = "\n".join(f"  wire [{size - 1}:0] {port};" for port, size in [*((port, 1) for port in levels), *outputs])
    drives = "\n".join(f"  wire [{size - 1}:0] {port} = row[{fields[port]}];" for port, size in driven)
    wrong = " || ".join(f"{port} !== row[{fields[port]}]" for port, _ in outputs)
    shown = " ".join(f"{port}=%0d (expected %0d)" for port, _ in outputs)
    values = ", ".join(f"{port}, row[{fields[port]}]" for port, _ in outputs)
    clocked = [".clk(clk)", ".rst(rst)"] if registered else []
    connected = ", ".join([*clocked, *(f".{port}({port})" for port, _ in (*inputs, *outputs))])
    front = f"  front_end front({', '.join(f'.{port}({port})' for port in [*sensors, *levels])});\n" if levels else ""
    wait = f"repeat ({stages + 1}) @(posedge clk); #1;" if registered else "#1;"
    clock = "  reg clk = 0;\n  reg rst = 0;\n  always #5 clk = ~clk;\n" if registered else ""
    text = f"""// Self-checking test bench of {name}: {len(rows)} rows.
`timescale 1ns/1ns
module {name}_tb;
{clock}  reg [{width - 1}:0] rows [0:{len(rows) - 1}];
  reg [{width - 1}:0] row;
{drives}
{wires}
{front}  {name} dut({connected});
  integer k;
  integer failed;
  initial begin
{vectors}
    failed = 0;
    for (k = 0; k < {len(rows)}; k = k + 1) begin
      row = rows[k];
      {wait}
      if ({wrong}) begin
        failed = failed + 1;
        $display("row %0d: {shown}", k, {values});
      end
    end
    if (failed == 0) $display("PASS: {len(rows)} rows");
    else $display("FAIL: %0d of {len(rows)} rows", failed);
    $finish;
  end
endmodule
"""
    return TestBench(text, len(rows))


def _worth_rows(bits: Bits) -> int:
    """Return how many rows to take, by the number of gates; measured: 28 ms per row of 2,076 gates, growing with their
    square.
    """
    return int(np.clip(BENCH_SECONDS / (6.5e-9 * max(1, len(bits.gates)) ** 2), LEAST_ROWS, MOST_ROWS))


def _sensors(program: Program, features: NDArray[np.float64]) -> dict[str, NDArray[np.int64]]:
    """Return the 64 bits of each value that comparators read, int64 (rows,), by the front end's port."""
    bits = np.ascontiguousarray(features, np.float64).view(np.int64)
    return {value_port(k): bits[:, k] for k in sorted({each.number for each in comparators(program.inputs)})}


def _word(ports: Sequence[Port], values: Sequence[int]) -> int:
    """Pack the values side by side, the first port in the highest bits."""
    word = 0
    for (_, size), value in zip(ports, values, strict=True):
        word = word << size | value & ((1 << size) - 1)
    return word


def _fields(ports: Sequence[Port], width: int) -> dict[str, str]:
    """Return where each port's bits lie in a row, as a Verilog range."""
    fields = {}
    for port, size in ports:
        fields[port] = f"{width - 1}:{width - size}"
        width -= size
    return fields
