"""Checkpoints of an evolution: every ladder, rung by rung."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from mlpress.approx.gates.genome import Genome
from mlpress.approx.gates.ladder import GateProblem, Ladder, Rung
from mlpress.approx.state_file import damaged, read_state, write_state
from mlpress.errors import MlpressError

FORMAT = "mlpress evolution 1"


@dataclass(frozen=True, slots=True)
class GateState:
    """An evolution between two rounds: ``energies`` is the sum of all rungs' after each round, in um2.

    ``round_s`` is how long the last round took, 0 where that was before a resumption.
    """

    ladders: tuple[Ladder, ...]
    elapsed_s: float = 0.0
    energies: tuple[float, ...] = ()
    round_s: float = 0.0

    @property
    def rounds(self) -> int:
        """Rounds done."""
        return len(self.energies)

    @property
    def moves(self) -> int:
        """Moves judged so far."""
        return sum(ladder.moves for ladder in self.ladders)


def save(path: Path, problem: GateProblem, state: GateState) -> None:
    """Write ``state`` to ``path`` in place of an older one."""
    arrays: dict[str, NDArray[Any]] = {}
    for ladder in state.ladders:
        for k, rung in enumerate(ladder.rungs):
            name = f"{ladder.index} {k}"
            arrays[f"table {name}"] = rung.genome.table
            arrays[f"operands {name}"] = rung.genome.operands
            arrays[f"outputs {name}"] = rung.genome.outputs
    facts = {
        "elapsed_s": state.elapsed_s,
        "energies": state.energies,
        "moves": [ladder.moves for ladder in state.ladders],
        "rungs": [[(rung.energy, rung.start) for rung in ladder.rungs] for ladder in state.ladders],
    }
    write_state(path, FORMAT, problem.key, facts, arrays)


def load(path: Path, problem: GateProblem) -> GateState:
    """Read what :func:`save` wrote; raises where it is damaged or belongs to another evolution."""
    facts, arrays = read_state(path, FORMAT, problem.key)
    try:
        energies = tuple(float(energy) for energy in facts["energies"])
        if len(facts["rungs"]) != len(facts["moves"]) or len(facts["rungs"]) != problem.ladders:
            raise ValueError("it has another number of ladders")
        ladders = tuple(
            Ladder(i, len(energies), int(moves), tuple(_rung(problem, arrays, i, k, *r) for k, r in enumerate(rungs)))
            for i, (moves, rungs) in enumerate(zip(facts["moves"], facts["rungs"], strict=True))
        )
        return GateState(ladders, float(facts["elapsed_s"]), energies)
    except (ValueError, KeyError, TypeError, AttributeError, MlpressError) as error:
        raise damaged(path, error) from error


def _rung(
    problem: GateProblem, arrays: dict[str, NDArray[Any]], ladder: int, k: int, energy: float, start: int
) -> Rung:
    bits = sum(feature.bits for feature in problem.inputs)
    genome = Genome(bits, *(arrays[f"{name} {ladder} {k}"] for name in ("table", "operands", "outputs")))
    genome.check()
    return Rung(genome, float(energy), range(len(problem.starts))[int(start)])
