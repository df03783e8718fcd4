"""Proofs that a design's circuit is the same function at every stage, for all inputs and not only for rows.

The and-inverter graph (the exact lowering of a net, or the evolved circuit itself) is compared with the Verilog in
the design folder as Yosys elaborates it, and that against the mapped netlist, cell by cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mlpress import ir
from mlpress.errors import MlpressError, OutOfTimeError
from mlpress.progress import Progress, Silent
from mlpress.verify.equivalence import OutOfTime, Proven, Refuted, Verdict
from mlpress.verify.probes import places_of

if TYPE_CHECKING:
    from mlpress.design import Design
    from mlpress.targets import Claim

MOMENT_S = 5.0
"""Seconds for each proof that is tried without being asked for."""

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
    """What became of one claim, in ``seconds`` of wall-clock time; on large designs it is tried only when asked for."""

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
        """Return plain JSON values."""
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
    *,
    timeout_s: float | None,
    different: bool,
    progress: Progress | None = None,
) -> list[Proof]:
    """Prove what belongs to a verification: with ``timeout_s`` seconds each, or (None) a few where they are quick.

    Where engines found a design ``different``, nothing is tried that was not asked for, and circuits that cannot be
    compared at all leave no proof.
    """
    if timeout_s is None:
        return [] if different else prove_soon(design, progress=progress)
    try:
        return prove(design, timeout_s=timeout_s, progress=progress)
    except MlpressError as error:
        if not different:
            raise
        (progress or Silent()).note(f"nothing can be proven: {error}")
        return []


def prove_soon(design: Design, *, progress: Progress | None = None) -> list[Proof]:
    """Run :func:`prove` with :data:`MOMENT_S` for each claim that is worth a quick try."""
    claims = design.target.claims(design.artifact)
    if not all(claim.quick for claim in claims):
        return [Proof(_title(claim), "not tried", 0.0) for claim in claims]
    return prove(design, timeout_s=MOMENT_S, progress=progress)


def prove(design: Design, *, timeout_s: float = 300.0, progress: Progress | None = None) -> list[Proof]:
    """Prove every claim that the target makes of ``design`` for all inputs; ``timeout_s`` for each proof."""
    progress = progress or Silent()
    program = design.program
    if isinstance(program, ir.Field):
        return []  # floating point: no prover here takes it
    circuit: ir.Circuit | None = None
    proofs = []
    for claim in design.target.claims(design.artifact):
        title = _title(claim)
        progress.step(f"prove {title} for all inputs (at most {timeout_s:g} s)")
        began = monotonic()
        try:
            verdict = claim.prove(timeout_s)
        except OutOfTimeError:
            verdict = OutOfTime(monotonic() - began)
        if circuit is None and isinstance(verdict, Refuted):
            circuit = ir.to_circuit(program)
        proofs.append(_proof(program, circuit, title, claim.sides, verdict))
    return proofs


def _title(claim: Claim) -> str:
    return " = ".join(claim.sides)


def _proof(
    program: ir.Program, circuit: ir.Circuit | None, claim: str, names: tuple[str, str], verdict: Verdict
) -> Proof:
    match verdict:
        case Proven():
            return Proof(claim, "proven", verdict.seconds)
        case OutOfTime():
            return Proof(claim, "out of time", verdict.seconds)
        case Refuted():
            assert circuit is not None
            return Proof(claim, "refuted", verdict.seconds, _counterexample(program, circuit, names, verdict))


def _counterexample(
    program: ir.Program, circuit: ir.Circuit, names: tuple[str, str], verdict: Refuted
) -> Counterexample:
    row = verdict.inputs[verdict.row]
    if any(name not in row for name, _ in ir.input_ports(circuit.inputs)):
        circuit = ir.unary(circuit)
    codes = ir.codes_at(circuit.inputs, row)
    features = {feature.name: _feature(program, k, codes[ir.port_name(k)]) for k, feature in enumerate(program.inputs)}
    answers: dict[str, Mapping[str, int]] = {names[0]: verdict.one, names[1]: verdict.other}
    if None not in features.values():
        answers["reference interpreter"] = _reference(program, circuit, codes)
    return Counterexample(codes, features, answers, verdict.inputs)


def _feature(program: ir.Program, index: int, code: int) -> float | None:
    """Return a value of one feature whose code is ``code``."""
    places = np.zeros((1, len(program.inputs)))
    places[0, index] = code
    values = places_of(program, places)
    return float(values[0, index]) if ir.encode(program, values)[0, index] == code else None


def _reference(program: ir.Program, circuit: ir.Circuit, codes: Mapping[str, int]) -> Mapping[str, int]:
    """Return the reference interpreter's answer, unsigned in as many bits as the output ports of ``circuit``."""
    row = np.array([list(codes.values())])
    words = zip(circuit.ports, circuit.outputs, ir.run(program, row).words[0].tolist(), strict=True)
    return {port: answer & (1 << len(word)) - 1 for port, word, answer in words}


def _shown(value: float | None) -> str:
    return "of no value" if value is None else f"{value:.6g}"
