"""A round of an archive: circuits of others, a sweep from the next start, and cycles of growing and shrinking.

Circuits found by annealing down from larger ones, one price at a time, beat those found by annealing at one price for
as long: a small circuit has too few gates to rebuild itself.  So a cycle takes a circuit, lets it grow at a higher
price per row, and anneals down again; every circuit on the way may enter the archive.

Archives learn from similar rows, so they exchange circuits.  An archive takes in circuits of all archives that have
seen none of its held-out rows: an archive of all rows from every other one, a fold's from those of the same fold.

A round is a pure function of problem, archive and guests: it does not matter where or in what order archives advance.
Only where a turn has seconds that it would exceed, it ends early: between two anneals, and sweeps skip prices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, inf
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpress import interrupts
from mlpress.approx.common.clock import now
from mlpress.approx.common.teacher import Augmentation, augment_rows
from mlpress.approx.gates.archive import Archive, Member, with_members
from mlpress.approx.gates.chain import anneal, genome_of, new_scratch, new_state
from mlpress.approx.gates.genome import Genome, to_genome
from mlpress.approx.gates.offsets import judging_rows, learned_rows, repeated, right_shares, seen_rows, somewhere
from mlpress.approx.gates.problem import MARGIN, GateProblem
from mlpress.approx.gates.rows import PackedRows, Rows, pack_rows
from mlpress.approx.gates.state import CORRECT, COST, MOVES, State
from mlpress.approx.gates.whole import input_costs
from mlpress.ir import Circuit

COLD = 0.03
"""The temperature at which annealing ends, in areas of the smallest gate."""

BELOW = 2
"""A cycle ends so many prices below that at which its first circuit is the best one."""

GUESTS = 0.25
"""The share of a turn's seconds that circuits of other archives may take."""

JITTER = 0.25
"""All prices of a cycle are scaled by up to so many octaves, up or down."""


class Turn(NamedTuple):
    """An archive, the circuits of others that may enter it, and the seconds that its round has."""

    archive: Archive
    guests: tuple[Member, ...]
    seconds: float = inf


def turns(problem: GateProblem, archives: Sequence[Archive], seconds: float = inf) -> list[Turn]:
    """Return every archive with the circuits of all others that have seen none of its held-out rows."""
    return [
        Turn(
            archive,
            tuple(
                member
                for other in archives
                if other is not archive and problem.may_enter(other.index, archive.index)
                for member in other.members
            ),
            seconds,
        )
        for archive in archives
    ]


def advance(problem: GateProblem, turn: Turn) -> Archive:
    """Return the archive after one more round."""
    archive, began = turn.archive, now()
    until = began + turn.seconds
    rng = np.random.default_rng((problem.seed, archive.index, archive.rounds, 5))
    material = _material(problem, archive.index, archive.rounds if problem.effort.offset_sigma else 0)
    members, judged = archive.members, 0
    if problem.effort.offset_sigma:  # the round before saw other copies
        members = with_members((), [_member(problem, material, each.genome, each.start) for each in members])
    for guest in turn.guests:
        if members and now() > began + GUESTS * turn.seconds:
            break
        members = with_members(members, [_member(problem, material, guest.genome, guest.start)])
    if archive.rounds < len(problem.starts):
        genome, start = _first(problem, archive)
        itself = _member(problem, material, genome, start)
        found, judged = _anneals(problem, material, genome, start, problem.effort.prices, rng, until)
        members = with_members(members, [itself, *found])
    for _ in range(problem.effort.cycles):
        if now() > until:
            break
        parent, prices = cycle(problem, archive.index, members, rng)
        found, moves = _anneals(problem, material, parent.genome, parent.start, prices, rng, until)
        members, judged = with_members(members, found), judged + moves
    energy = float(_energies(problem, archive.index, members).min(axis=1).sum())
    return Archive(archive.index, archive.rounds + 1, archive.moves + judged, members, energy)


def wrong_rows(problem: GateProblem, genome: Genome, rows: PackedRows) -> int:
    """Return how many of ``rows`` a netlist decides wrongly."""
    return int(rows.rows - new_state(genome, rows, problem.costs, 0).counts[CORRECT])


def right_rows(problem: GateProblem, genome: Genome, rows: Rows) -> NDArray[np.float64]:
    """Return the share of printed copies of a netlist that decide each row rightly, float64 (rows,): 0 or 1 of one."""
    sigma = problem.effort.offset_sigma
    return right_shares(genome, problem.inputs, len(problem.classes), rows, problem.costs, sigma, problem.seed)


@dataclass(frozen=True, slots=True)
class _Material:
    """The rows of an archive: its own, those and their neighbours packed, and its held-out rows packed.

    ``share`` is the weight of a packed row: together they count as much as all rows of the problem, so that a price
    trades as much area for as large a share of the rows in every fold.
    """

    rows: Rows
    packed: PackedRows
    held: PackedRows | None
    share: float


@lru_cache(maxsize=32)
def _material(problem: GateProblem, archive: int, number: int = 0) -> _Material:
    """Return what an archive learns from; where comparators have offsets, in round ``number``."""
    held, sigma = problem.held_out(archive), problem.effort.offset_sigma
    unseen = problem.rows.take(held) if held.any() else None
    if not sigma:
        return material_of(problem, problem.rows.take(~held), unseen, problem.augmentation(archive))
    rows, learned = _placed(problem, archive)
    classes = len(problem.classes)
    packed = learned_rows(problem.inputs, classes, learned, sigma, (problem.seed, archive, number, 16))
    judging = None if unseen is None else judging_rows(problem.inputs, classes, unseen, sigma, problem.seed)
    return _Material(rows, packed, judging, len(problem.rows) / len(learned))


@lru_cache(maxsize=32)
def _placed(problem: GateProblem, archive: int) -> tuple[Rows, Rows]:
    """Return the archive's rows as copies see them, and those with their neighbours, all with places.

    Neighbours have any place of their codes.
    """
    rows = problem.rows.take(~problem.held_out(archive))
    assert rows.places is not None  # a problem with offsets has them
    codes, labels = augment_rows(
        rows.codes,
        rows.labels,
        problem.inputs,
        problem.augmentation(archive),
        problem.seed,
        quick=problem.effort.quick_teacher,
    )
    each = len(codes) // len(rows)
    times = max(each - 2 * each // 3, 1)  # so often each row stands before its neighbours
    near = somewhere(problem.inputs, codes[times * len(rows) :], np.random.default_rng((problem.seed, archive, 15)))
    learned = Rows(codes, labels, np.concatenate([np.repeat(rows.places, times, axis=0), near]))
    seen = seen_rows(problem.inputs, rows, problem.effort.offset_sigma, (problem.seed, archive, 18))
    return seen, repeated(learned)


def material_of(problem: GateProblem, rows: Rows, unseen: Rows | None, augmentation: Augmentation) -> _Material:
    """Pack ``rows`` with their neighbours, and the held-out rows ``unseen``."""
    learned = Rows(
        *augment_rows(
            rows.codes, rows.labels, problem.inputs, augmentation, problem.seed, quick=problem.effort.quick_teacher
        )
    )

    def packed(rows: Rows) -> PackedRows:
        return pack_rows(problem.inputs, len(problem.classes), rows)

    held = None if unseen is None else packed(unseen)
    return _Material(rows, packed(learned), held, len(problem.rows) / len(learned))


def sweep(
    problem: GateProblem,
    material: _Material,
    circuit: Circuit,
    start: int,
    rng: np.random.Generator,
    until: float,
    waiting: int,
) -> list[Member]:
    """Return ``circuit`` itself, and what annealing finds at each price in turn.

    It takes its share of the time until ``until``, which ``waiting`` sweeps share.
    """
    genome, began = to_genome(circuit, problem.costs), now()
    itself = _member(problem, material, genome, start)
    share = began + (until - began) / waiting
    return [itself, *_anneals(problem, material, genome, start, problem.effort.prices, rng, share)[0]]


def _first(problem: GateProblem, archive: Archive) -> tuple[Genome, int]:
    """Return the circuit of the next start, and the number of the start.

    All starts have the archive's one seed, so that a substitute of several of them is trained once.
    """
    part = problem.fold(archive.index) < problem.effort.folds
    rows = _material(problem, archive.index).rows
    seed = int(np.random.default_rng((problem.seed, archive.index, 7)).integers(1 << 31))
    circuit = problem.starts[archive.rounds].make(rows, seed, part=part)
    return to_genome(circuit, problem.costs), archive.rounds


def _energies(problem: GateProblem, archive: int, members: Sequence[Member]) -> NDArray[np.float64]:
    """Return the energy of each member at each price, um2: (prices, members)."""
    row = problem.unit * _material(problem, archive).share * np.array(problem.effort.prices)
    energies: NDArray[np.float64] = np.array([member.cost for member in members]) + np.outer(
        row, [member.wrong for member in members]
    )
    return energies


def cycle(
    problem: GateProblem, archive: int, members: Sequence[Member], rng: np.random.Generator
) -> tuple[Member, list[float]]:
    """Draw the member that a cycle leaves from; return it and the prices to anneal at, the highest first.

    The prices are around that at which the best member's cost is nearest to the drawn one's.
    """
    most = np.inf if problem.most_cost is None else MARGIN * problem.most_cost / problem.costs.step
    near = [member for member in members if member.cost <= most] or members[:1]
    parent = near[int(rng.integers(len(near)))]
    best = _energies(problem, archive, members).argmin(axis=1)
    away = [abs(np.log(max(members[k].cost, 1.0) / max(parent.cost, 1.0))) for k in best]
    middle = int(np.argmin(away))
    first = max(middle - int(rng.integers(problem.effort.swing + 1)), 0)
    moved = 2.0 ** rng.uniform(-JITTER, JITTER)
    return parent, [price * moved for price in problem.effort.prices[first : middle + BELOW + 1]]


def _anneals(
    problem: GateProblem,
    material: _Material,
    genome: Genome,
    start: int,
    prices: Sequence[float],
    rng: np.random.Generator,
    until: float,
) -> tuple[list[Member], int]:
    """Anneal from ``genome`` at each of ``prices`` in turn; return what each chain finds, and the moves judged.

    Where the first chains show that not all will end before ``until``, prices between are skipped.
    """
    found: list[Member] = []
    judged, k = 0, 0
    while k < len(prices):
        interrupts.check()
        since = now()
        if since > until:
            break
        member, moves = _annealed(problem, material, genome, start, prices[k], rng)
        found.append(member)
        judged += moves
        genome = member.genome
        ended = now()
        affordable = (until - ended) / max(ended - since, 1e-6)
        k += max(1, ceil((len(prices) - 1 - k) / affordable)) if affordable > 0 else len(prices)
    return found, judged


def _annealed(
    problem: GateProblem, material: _Material, genome: Genome, start: int, price: float, rng: np.random.Generator
) -> tuple[Member, int]:
    """Anneal ``genome`` at ``price``; return the circuit and the moves judged.

    The first temperature grows as the root of the price: among accurate circuits moves trade more rows.
    """
    effort, unit = problem.effort, problem.unit
    state = _state(problem, material, genome, int(rng.integers(1 << 62)))
    visits = max(round(effort.visits * min(1.0, effort.gates / max(len(genome), 1))), -(-effort.visits // 8))
    hot = unit * 0.5 * price**0.5 * 4.0 ** (rng.random() - 0.5)
    draws = np.array(effort.draws, np.int64)
    scratch = new_scratch(material.packed.words, int(draws[0]))
    anneal(state, visits, unit * price * material.share, max(hot, unit * COLD), unit * COLD, draws, scratch)
    return _judged(problem, material, state, start), int(state.counts[MOVES])


def _member(problem: GateProblem, material: _Material, genome: Genome, start: int) -> Member:
    """Score a circuit from elsewhere on the archive's own rows."""
    return _judged(problem, material, _state(problem, material, genome, 0), start)


def _state(problem: GateProblem, material: _Material, genome: Genome, seed: int) -> State:
    power = problem.effort.power
    return new_state(
        genome, material.packed, problem.costs, seed, power, input_costs(problem.inputs, problem.costs, power)
    )


def _judged(problem: GateProblem, material: _Material, state: State, start: int) -> Member:
    """Score the chain's current circuit on fitting and held-out rows."""
    made = genome_of(state)
    wrong = material.packed.rows - int(state.counts[CORRECT])
    held = 0 if material.held is None else wrong_rows(problem, made, material.held)
    return Member(made, float(state.counts[COST]), wrong, held, start)
