"""Checkpoints of an evolution: every archive, member by member."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from mlpress.approx.common.state_file import damaged, read_state, write_state
from mlpress.approx.gates.archive import Archive, Member
from mlpress.approx.gates.genome import Genome
from mlpress.approx.gates.problem import GateProblem
from mlpress.errors import MlpressError

FORMAT = "mlpress evolution 3"


@dataclass(frozen=True, slots=True)
class GateState:
    """An evolution between two rounds: ``energies`` is that of all archives after each round, in um2."""

    archives: tuple[Archive, ...]
    elapsed_s: float = 0.0
    energies: tuple[float, ...] = ()

    @property
    def rounds(self) -> int:
        """Rounds done."""
        return len(self.energies)

    @property
    def moves(self) -> int:
        """Moves judged so far."""
        return sum(archive.moves for archive in self.archives)


def save(path: Path, problem: GateProblem, state: GateState) -> None:
    """Write ``state`` to ``path`` in place of an older one."""
    arrays: dict[str, NDArray[Any]] = {}
    for archive in state.archives:
        for k, member in enumerate(archive.members):
            name = f"{archive.index} {k}"
            arrays[f"table {name}"] = member.genome.table
            arrays[f"operands {name}"] = member.genome.operands
            arrays[f"outputs {name}"] = member.genome.outputs
    facts = {
        "elapsed_s": state.elapsed_s,
        "energies": state.energies,
        "moves": [archive.moves for archive in state.archives],
        "members": [
            [(each.cost, each.wrong, each.held, each.start) for each in archive.members] for archive in state.archives
        ],
    }
    write_state(path, FORMAT, problem.key, facts, arrays)


def load(path: Path, problem: GateProblem) -> GateState:
    """Read what :func:`save` wrote; raise where it is damaged or belongs to another evolution."""
    facts, arrays = read_state(path, FORMAT, problem.key)
    try:
        energies = tuple(float(energy) for energy in facts["energies"])
        if len(facts["members"]) != len(facts["moves"]) or len(facts["members"]) != problem.archives:
            raise ValueError("it has another number of archives")
        if energies and not all(facts["members"]):
            raise ValueError("an archive is empty")
        archives = tuple(
            Archive(
                i, len(energies), int(moves), tuple(_member(problem, arrays, i, k, *m) for k, m in enumerate(members))
            )
            for i, (moves, members) in enumerate(zip(facts["moves"], facts["members"], strict=True))
        )
        return GateState(archives, float(facts["elapsed_s"]), energies)
    except (ValueError, KeyError, TypeError, AttributeError, MlpressError) as error:
        raise damaged(path, error) from error


def _member(
    problem: GateProblem,
    arrays: dict[str, NDArray[Any]],
    archive: int,
    k: int,
    cost: float,
    wrong: int,
    held: int,
    start: int,
) -> Member:
    if not 0 <= cost < inf:
        raise ValueError(f"a circuit costs {cost}")
    bits = sum(feature.width for feature in problem.inputs)
    genome = Genome(bits, *(arrays[f"{name} {archive} {k}"] for name in ("table", "operands", "outputs")))
    genome.check()
    return Member(genome, float(cost), int(wrong), int(held), range(len(problem.starts)).index(int(start)))
