"""Formal equivalence of two circuits for all inputs.

Both go into one and-inverter graph over shared inputs, and their outputs into a miter, which is 1 where they differ.
Equal structure is one node there.  What is left is sampled, and then ABC proves that the miter is never 1, or finds
an input for which it is (Mishchenko, Chatterjee, Brayton, Een: "Improvements to combinational equivalence checking",
ICCAD 2006); where few bits come in and ABC does not end soon, all rows are tried.  Every difference is run through
both circuits before it is told.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from time import monotonic

from mlpress.errors import MlpressError
from mlpress.ir import Circuit
from mlpress.ir import implied as implied_levels
from mlpress.progress import counted
from mlpress.verify.unrolled import CircuitMachine, GatesMachine, Machine, Ports, Unrolled, unroll
from mlpress.yosys import AndInverterGraph, Gates, read_gates, run_abc

RANDOM_ROWS = 4096
"""Random rows tried before any proof: a difference that is not rare is found at once."""

CONFLICTS = 1_000_000_000
"""Conflicts that ABC's solver may have; time ends it long before."""

FEW_BITS = 26
"""Input bits whose rows are all tried where ABC does not end soon."""

FIRST_TRY, FIRST_TRY_S = 0.1, 10.0
"""How soon: a share of the time, and seconds at most."""

ROWS_AT_ONCE = 14
"""All rows of so many input bits are tried together, as the bits of Python integers."""

Side = str | Gates | Circuit | Machine


@dataclass(frozen=True, slots=True)
class Proven:
    """The two circuits are the same function of all inputs.  ``clocks`` before this one count in a pipeline."""

    seconds: float
    clocks: int = 0


@dataclass(frozen=True, slots=True)
class Refuted:
    """The circuits differ.

    ``inputs`` holds an unsigned integer for each input port at each clock, the oldest first (one mapping where there
    are no registers), ``one`` and ``other`` what each circuit answers, unsigned, by output port.  ``row`` is the
    clock whose inputs these are the answer to, where one circuit has no registers: an index into ``inputs``.
    """

    seconds: float
    inputs: tuple[Ports, ...]
    one: Ports
    other: Ports
    row: int = -1


@dataclass(frozen=True, slots=True)
class OutOfTime:
    """Neither proven nor refuted within the time and memory allowed."""

    seconds: float


Verdict = Proven | Refuted | OutOfTime


def prove_equal(
    one: Side,
    other: Side,
    *,
    held: Ports | None = None,
    implied: Sequence[tuple[str, str]] = (),
    timeout_s: float = 300.0,
    memory_mb: int = 4096,
) -> Verdict:
    """Decide whether two circuits with the same ports are equal for all inputs.

    A circuit is an :class:`~mlpress.ir.Circuit` (ports as in its Verilog), elaborated :class:`~mlpress.yosys.Gates`,
    Verilog text of one top module, or any other :class:`Machine`, such as a target's mapped netlist.  Pipelines
    are unrolled; one that is held against a circuit without registers must answer each row some clocks later.
    ``held`` are values of input ports that stand still: a reset that is off, a clock that a circuit may not have.
    ``implied`` are pairs of input ports of one bit, one input's pairs in a row: where the first one is 1, the second
    one is too (:func:`mlpress.ir.implied`, which is the default where a side is a circuit); inputs that break this
    cannot occur, and what the circuits do there does not count.
    ``timeout_s`` and ``memory_mb`` (MiB) are the prover's.  Raises :class:`MlpressError` where ports differ, where
    registers feed back, and for Verilog that is none.
    """
    began = monotonic()
    machines = [_machine(side) for side in (one, other)]
    held = {name: value for name, value in (held or {}).items() if any(name in m.inputs for m in machines)}
    _check_ports(machines[0], machines[1], held)
    pair = unroll(machines[0], machines[1], held)
    circuit = next((side for side in (one, other) if isinstance(side, Circuit)), None)
    levels = _levels(pair, implied or (implied_levels(circuit.inputs) if circuit else ()))
    miter = _possible(pair.graph, levels, _miter(pair))

    def seconds() -> float:
        return monotonic() - began

    if miter == 0:
        return Proven(seconds(), pair.clocks)
    bits = _sampled(pair.graph, miter, levels)
    if bits is None:
        found = _decided(pair.graph, miter, timeout_s, memory_mb)
        if found is None:
            return OutOfTime(seconds())
        if not found:
            return Proven(seconds(), pair.clocks)
        bits = found
    rows = _rows(pair, bits, held)
    last = len(rows) - 1 - pair.latency
    answers = [m.answer(rows if m.registers else rows[last : last + 1]) for m in machines]
    if answers[0] == answers[1]:
        raise MlpressError(f"the prover and the engines disagree on {rows[-1]}; please report this as a bug of mlpress")
    return Refuted(seconds(), rows, answers[0], answers[1], last)


def _machine(side: Side) -> Machine:
    match side:
        case str():
            return GatesMachine(read_gates({"verilog": side}))
        case Gates():
            return GatesMachine(side)
        case Circuit():
            return CircuitMachine(side)
        case _:
            return side


def _check_ports(one: Machine, other: Machine, held: Ports) -> None:
    for what, left, right in (("input", one.inputs, other.inputs), ("output", one.outputs, other.outputs)):
        for name in [*left, *right]:
            widths = left.get(name), right.get(name)
            if widths[0] != widths[1] and not (what == "input" and name in held and None in widths):
                has = [f"has no {name!r}" if width is None else f"has {counted(width, 'bit')}" for width in widths]
                raise MlpressError(
                    f"{what} {name!r}: the first circuit {has[0]}, the second {has[1]}; only circuits with equal ports "
                    f"can be equal"
                )


def _miter(pair: Unrolled) -> int:
    """Return the literal that is 1 where any output bit differs."""
    graph, differs = pair.graph, 0
    for name, word in pair.one.items():
        for a, b in zip(word, pair.other[name], strict=True):
            differs = graph.both(differs ^ 1, graph.differ(a, b) ^ 1) ^ 1
    return differs


def _levels(pair: Unrolled, implied: Sequence[tuple[str, str]]) -> list[list[int]]:
    """Return the nodes of each unary input at each clock, the lowest level first."""
    chains: list[list[str]] = []
    for high, low in implied:
        if chains and chains[-1][-1] == low:
            chains[-1].append(high)
        else:
            chains.append([low, high])
    node = {place: 1 + k for k, place in enumerate(pair.inputs)}
    found = [
        [node[name, 0, ago] for name in chain if (name, 0, ago) in node]
        for ago in range(pair.clocks + 1)
        for chain in chains
    ]
    return [chain for chain in found if len(chain) > 1]


def _possible(graph: AndInverterGraph, levels: Sequence[Sequence[int]], miter: int) -> int:
    """Return the literal that is 1 where ``miter`` is and no level is reached above one that is not."""
    for chain in levels:
        for low, high in pairwise(chain):
            miter = graph.both(miter, graph.both(2 * high, 2 * low ^ 1) ^ 1)
    return miter


def _sampled(graph: AndInverterGraph, miter: int, levels: Sequence[Sequence[int]] = ()) -> Sequence[int] | None:
    """Return the input bits for which ``miter`` is 1, from random rows, or None.

    Of each chain of ``levels``, a random number is reached, the lowest first.
    """
    drawn, every = random.Random(0), (1 << RANDOM_ROWS) - 1
    signals = [0, *(drawn.getrandbits(RANDOM_ROWS) for _ in range(graph.inputs))]
    for chain in levels:
        reached = [drawn.randrange(len(chain) + 1) for _ in range(RANDOM_ROWS)]
        for k, node in enumerate(chain):
            signals[node] = int("".join("1" if count > k else "0" for count in reached), 2)
    for a, b in graph.nodes:
        signals.append((signals[a >> 1] ^ (every if a & 1 else 0)) & (signals[b >> 1] ^ (every if b & 1 else 0)))
    found = signals[miter >> 1] ^ (every if miter & 1 else 0)
    row = (found & -found).bit_length() - 1
    return None if row < 0 else [signal >> row & 1 for signal in signals[1 : 1 + graph.inputs]]


def _decided(graph: AndInverterGraph, miter: int, seconds: float, memory_mb: int) -> Sequence[int] | None:
    """Return nothing where the miter is never 1, the input bits where it is, None where time or memory ends first."""
    deadline = monotonic() + seconds
    aiger, (inputs, _) = graph.to_aiger([miter]), graph.cone([miter])
    if len(inputs) > FEW_BITS:
        return _by_abc(aiger, seconds, memory_mb)
    found = _by_abc(aiger, min(FIRST_TRY * seconds, FIRST_TRY_S), memory_mb)
    return _by_all_rows(graph, miter, deadline) if found is None else found


def _by_all_rows(graph: AndInverterGraph, miter: int, deadline: float) -> Sequence[int] | None:
    """Decide the miter by trying all rows."""
    inputs, gates = graph.cone([miter])
    together = min(ROWS_AT_ONCE, len(inputs))
    every = (1 << (1 << together)) - 1
    signals = [0] * (1 + graph.inputs + len(graph.nodes))
    for node, pattern in zip(inputs, _variables(together), strict=False):
        signals[node] = pattern
    pairs = [(node, *graph.nodes[node - 1 - graph.inputs]) for node in gates]
    for part in range(1 << (len(inputs) - together)):
        if monotonic() > deadline:
            return None
        for k, node in enumerate(inputs[together:]):
            signals[node] = every if part >> k & 1 else 0
        for node, a, b in pairs:
            signals[node] = (signals[a >> 1] ^ (every if a & 1 else 0)) & (signals[b >> 1] ^ (every if b & 1 else 0))
        found = signals[miter >> 1] ^ (every if miter & 1 else 0)
        if found:
            row = (found & -found).bit_length() - 1
            return [signal >> row & 1 for signal in signals[1 : 1 + graph.inputs]]
    return ()


def _variables(count: int) -> list[int]:
    """Return the truth table of each of so many variables: bit ``row`` is its value in that row."""
    return [sum(1 << row for row in range(1 << count) if row >> k & 1) for k in range(count)]


def _by_abc(aiger: bytes, seconds: float, memory_mb: int) -> Sequence[int] | None:
    """Decide the miter by ABC."""
    script = f"read_aiger miter.aig\ndcec -m -T {int(seconds) + 1} -C {CONFLICTS}\nwrite_cex row"
    run = run_abc(script, {"miter.aig": aiger}, ["row"], timeout_s=seconds, memory_mb=memory_mb)
    said = [line for line in run.log.splitlines() if line.startswith("Networks are ")]
    if len(said) != 1:
        return None
    if said[0].startswith("Networks are equivalent."):
        return ()
    if said[0].startswith("Networks are NOT EQUIVALENT.") and "row" in run.outputs:
        return [int(bit) for bit in run.outputs["row"].decode().strip()]
    return None


def _rows(pair: Unrolled, bits: Sequence[int], held: Ports) -> tuple[Ports, ...]:
    rows: list[dict[str, int]] = [{} for _ in range(pair.clocks + 1)]
    for (name, k, ago), bit in zip(pair.inputs, bits, strict=False):
        row = rows[pair.clocks - ago]
        row[name] = row.get(name, 0) | bit << k
    return tuple({**row, **held} for row in rows)
