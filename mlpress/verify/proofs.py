"""Is a design's circuit the same function at every stage, for all inputs and not only for the rows that were run?

The and-inverter graph (the exact lowering of a net, or the evolved circuit itself) is held against the Verilog in
the design folder as Yosys elaborates it, and that against the mapped netlist, cell by cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mlpress import ir
from mlpress.design import Design
from mlpress.errors import MlpressError, OutOfTimeError
from mlpress.progress import Progress, Silent
from mlpress.verify.equivalence import OutOfTime, Proven, Refuted, Side, Verdict, prove_equal
from mlpress.yosys import read_gates

if TYPE_CHECKING:
    from mlpress.hw.printed import Technology

CLOCK, RESET = {"clk": 0}, {"rst": 0}
"""Ports of a registered design; where all its answers are constant, the clock is an input that nothing reads."""

MOMENT_S = 5.0
"""Seconds for each proof that is tried where nobody asked for one."""

MOST_FOR_A_MOMENT = 30_000
"""And-gates of a circuit that is worth trying then; with four times as many, reading it in takes longer than that."""

CLAIMS = (("circuit", "top.v"), ("top.v", "netlist.v"))

Program = ir.Net | ir.Circuit
Answers = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A row for which two circuits differ.

    ``codes`` are the input codes; ``features`` a value of each feature that gives its code, or None where the
    converter never does; ``answers`` the output ports (unsigned) of both circuits, and of the reference interpreter
    where each feature has a value.  ``inputs`` are all input ports at each clock, the oldest first.
    """

    codes: Mapping[str, int]
    features: Mapping[str, float | None]
    answers: Answers
    inputs: tuple[Mapping[str, int], ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """What became of one claim; ``seconds`` of wall-clock time.  Claims on large designs are not tried for a moment."""

    claim: str
    verdict: Literal["proven", "refuted", "out of time", "not tried"]
    seconds: float
    counterexample: Counterexample | None = None

    @property
    def difference(self) -> str:
        """The counterexample in one line."""
        if self.counterexample is None:
            return ""
        values = ", ".join(f"{name} {_shown(value)}" for name, value in self.counterexample.features.items())
        codes = ", ".join(f"{port} = {code}" for port, code in self.counterexample.codes.items())
        told = "; ".join(
            f"{name}: {', '.join(f'{port} = {value}' for port, value in answer.items())}"
            for name, answer in self.counterexample.answers.items()
        )
        return f"{codes} ({values}) gives {told}"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        facts: dict[str, Any] = {"claim": self.claim, "verdict": self.verdict, "seconds": round(self.seconds, 3)}
        facts["difference"] = self.difference
        if (found := self.counterexample) is not None:
            facts["counterexample"] = {
                "codes": dict(found.codes),
                "features": dict(found.features),
                "answers": {name: dict(answer) for name, answer in found.answers.items()},
                "inputs": [dict(row) for row in found.inputs],
            }
        return facts


def check_proofs(
    design: Design,
    technology: Technology | None = None,
    *,
    timeout_s: float | None,
    different: bool,
    progress: Progress | None = None,
) -> list[Proof]:
    """The proofs that belong to a verification: with ``timeout_s`` seconds each, or (None) tried for a moment.

    Where engines found a design ``different``, nothing is tried that was not asked for, and what cannot be held
    against each other at all leaves no proof.
    """
    if timeout_s is None:
        return [] if different else prove_soon(design, technology, progress=progress)
    try:
        return prove(design, technology, timeout_s=timeout_s, progress=progress)
    except MlpressError as error:
        if not different:
            raise
        (progress or Silent()).note(f"nothing can be proven: {error}")
        return []


def prove_soon(
    design: Design, technology: Technology | None = None, *, progress: Progress | None = None
) -> list[Proof]:
    """:func:`prove` with :data:`MOMENT_S` for each proof, where the design is small enough for that."""
    program = design.program
    circuit = program if isinstance(program, ir.Circuit) else ir.bit_blast(program)
    if len(circuit.ands) > MOST_FOR_A_MOMENT:
        return [Proof(f"{one} = {other}", "not tried", 0.0) for one, other in CLAIMS]
    return prove(design, technology, timeout_s=MOMENT_S, progress=progress)


def prove(
    design: Design,
    technology: Technology | None = None,
    *,
    timeout_s: float = 300.0,
    progress: Progress | None = None,
) -> list[Proof]:
    """Prove that circuit, Verilog and mapped netlist of ``design`` are one function; ``timeout_s`` for each proof.

    ``technology`` is that of the netlist's cells (default: the design's target).  Registered designs are proven as
    pipelines: against the circuit with the reset off, against each other with the reset doing what it will.
    """
    from mlpress.hw import printed

    progress = progress or Silent()
    technology = technology or design.technology()
    program = design.program
    circuit = program if isinstance(program, ir.Circuit) else ir.bit_blast(program)
    progress.step("prove: read the Verilog")
    began = monotonic()
    try:
        rtl = read_gates({"top.v": design.verilog}, "top")
    except OutOfTimeError:
        return [Proof(f"{one} = {other}", "out of time", monotonic() - began) for one, other in CLAIMS]
    netlist = printed.NetlistMachine(printed.link(printed.parse_netlist(design.netlist, "top"), technology))
    clock, reset = (CLOCK, RESET) if design.facts["options"]["registered"] else ({}, {})
    proofs = []
    compared: list[tuple[Side, Side, dict[str, int]]] = [(circuit, rtl, clock | reset), (rtl, netlist, clock)]
    for (one, other), (first, second, held) in zip(CLAIMS, compared, strict=True):
        claim = f"{one} = {other}"
        progress.step(f"prove {claim} for all inputs (at most {timeout_s:g} s)")
        verdict = prove_equal(first, second, held=held, timeout_s=timeout_s)
        proofs.append(_proof(program, circuit, claim, (one, other), verdict))
    return proofs


def _proof(program: Program, circuit: ir.Circuit, claim: str, names: tuple[str, str], verdict: Verdict) -> Proof:
    match verdict:
        case Proven():
            return Proof(claim, "proven", verdict.seconds)
        case OutOfTime():
            return Proof(claim, "out of time", verdict.seconds)
        case Refuted():
            return Proof(claim, "refuted", verdict.seconds, _counterexample(program, circuit, names, verdict))


def _counterexample(program: Program, circuit: ir.Circuit, names: tuple[str, str], verdict: Refuted) -> Counterexample:
    row = verdict.inputs[verdict.row]
    codes = {f"x{k}": row[f"x{k}"] for k in range(len(program.inputs))}
    features = {feature.name: _feature(program, k, codes[f"x{k}"]) for k, feature in enumerate(program.inputs)}
    answers: dict[str, Mapping[str, int]] = {names[0]: verdict.one, names[1]: verdict.other}
    if None not in features.values():
        answers["reference interpreter"] = _reference(program, circuit, codes)
    return Counterexample(codes, features, answers, verdict.inputs)


def _feature(program: Program, index: int, code: int) -> float | None:
    """A value of one feature whose code is ``code``."""
    feature = program.inputs[index]
    values = np.zeros((1, len(program.inputs)))
    half = 0.5 if feature.rounding == "floor" else 0.0
    values[0, index] = 0.0 if feature.scale == 0 else (code + half - feature.offset) / feature.scale
    return float(values[0, index]) if ir.encode(program, values)[0, index] == code else None


def _reference(program: Program, circuit: ir.Circuit, codes: Mapping[str, int]) -> Mapping[str, int]:
    """The reference interpreter's answer, unsigned in as many bits as the output ports of ``circuit``."""
    row = np.array([list(codes.values())])
    if isinstance(program, ir.Circuit):
        answers = ir.interpret_circuit(program, row).words[0].tolist()
    else:
        trace = ir.interpret(program, row)
        answers = trace.scores[0].tolist() if trace.decision is None else trace.decision.tolist()
    words = zip(circuit.output_names, circuit.outputs, answers, strict=True)
    return {port: answer & (1 << len(word)) - 1 for port, word, answer in words}


def _shown(value: float | None) -> str:
    return "of no value" if value is None else f"{value:.6g}"
