"""Checkpoints of an evolution: every archive, member by member."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from mlpress.approx.common.state_file import count, damaged, listed, quantity, read_state, write_state
from mlpress.approx.gates.archive import Archive, Member
from mlpress.approx.gates.genome import Genome
from mlpress.approx.gates.problem import GateProblem
from mlpress.errors import MlpressError
from mlpress.ir import index_bits
from mlpress.progress import counted

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
        return _state(facts, arrays, problem)
    except (ValueError, KeyError, MlpressError) as error:
        raise damaged(path, error) from error


def _state(facts: dict[str, Any], arrays: dict[str, NDArray[Any]], problem: GateProblem) -> GateState:
    energies = tuple(quantity(energy, "an energy") for energy in listed(facts["energies"], "energies"))
    found, moves = listed(facts["members"], "members"), listed(facts["moves"], "moves")
    if not len(found) == len(moves) == problem.archives:
        raise ValueError("it has another number of archives")
    if energies and not all(found):
        raise ValueError("an archive is empty")
    archives = []
    for i, (judged, members) in enumerate(zip(moves, found, strict=True)):
        kept = tuple(_member(problem, arrays, f"{i} {k}", one) for k, one in enumerate(listed(members, "members")))
        archives.append(Archive(i, len(energies), count(judged, "moves"), kept))
    return GateState(tuple(archives), quantity(facts["elapsed_s"], "seconds"), energies)


def _member(problem: GateProblem, arrays: dict[str, NDArray[Any]], place: str, facts: object) -> Member:
    cost, *counts = listed(facts, "a circuit")
    wrong, held, start = (count(value, "a circuit's rows or start") for value in counts)
    if start >= len(problem.starts):
        raise ValueError(f"a circuit comes of start {start} of {len(problem.starts)}")
    bits = sum(feature.width for feature in problem.inputs)
    genome = Genome(bits, *(arrays[f"{name} {place}"] for name in ("table", "operands", "outputs")))
    genome.check()
    if len(genome.outputs) != index_bits(len(problem.classes)):
        raise ValueError(f"a circuit has {counted(len(genome.outputs), 'output')}")
    return Member(genome, quantity(cost, "a circuit's cost"), wrong, held, start)
