"""The evolution as a whole: the same front on any workers, after an interrupt, after a kill; honest folds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from math import exp
from pathlib import Path

import numpy as np
import pytest
from support import egfet

from mlpress import ir
from mlpress.approx import Budget
from mlpress.approx.common.state_file import read_state, write_state
from mlpress.approx.gates import CircuitFront, FixedStart, GateSearchOptions, Rows, Trained, Tree, checkpoint, evolve
from mlpress.approx.gates.advance import Turn, advance, cycle, turns, wrong_rows
from mlpress.approx.gates.archive import BIN, Archive
from mlpress.approx.gates.checkpoint import GateState
from mlpress.approx.gates.evolution import LIKE, Round, Unwatched, near_area
from mlpress.approx.gates.problem import MARGIN, GateProblem
from mlpress.approx.gates.rows import pack_rows
from mlpress.errors import MlpressError
from mlpress.hw import printed

INPUTS = tuple(ir.Input(f"f{k}", 3, 1.0, 0.0) for k in range(4))
CLASSES = ("p", "q", "r")
EFFORT = GateSearchOptions(prices=(2.0, 1.0, 0.5), visits=300, draws=(8, 8, 4), folds=2, augmentations=("rows",))
ROUNDS = 4


def rows(seed: int = 0, count: int = 240) -> Rows:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 8, (count, 4))
    labels = np.clip((codes[:, 0] + codes[:, 1] - codes[:, 2] + rng.integers(0, 3, count)) // 4, 0, 2)
    return Rows(codes, labels)


def run(budget: Budget = Budget(generations=ROUNDS), **options: object) -> CircuitFront:  # noqa: B008 - immutable
    starts = [Tree(INPUTS, CLASSES, 8), Tree(INPUTS, CLASSES, 20)]
    settings: dict = {"effort": EFFORT, "seed": 3, "workers": 1} | options
    return evolve(INPUTS, CLASSES, rows(), starts, egfet.gate_costs(), egfet.METRICS, budget, **settings)


def timeless(front: CircuitFront) -> str:
    return replace(front, elapsed_s=0.0, stopped="").to_json()


@pytest.fixture(scope="module")
def whole() -> CircuitFront:
    return run()


def test_a_front_is_small_first_and_no_design_beats_another(whole: CircuitFront) -> None:
    areas = [design.model["area"] for design in whole.designs]
    accuracies = [design.validation_accuracy for design in whole.designs]
    assert areas == sorted(areas)
    assert accuracies == sorted(accuracies)
    assert len(set(accuracies)) == len(accuracies)
    assert whole.rounds == ROUNDS
    assert whole.stopped == "generations"


def test_designs_say_the_truth_about_the_rows(whole: CircuitFront) -> None:
    seen = rows()
    for design in whole.designs:
        ir.verify(design.circuit)
        decided = ir.interpret_circuit(design.circuit, seen.codes).words[:, 0]
        assert design.fit_accuracy == float(1 - np.sum(decided != seen.labels) / len(seen))
        netlist = printed.PackedNetlist(printed.parse_netlist(design.hint, "top"), printed.load_technology("egfet"))
        ports = {port.name: seen.codes[:, int(port.name[1:])] for port in netlist.inputs}
        assert netlist.run(ports)["y"].tolist() == decided.tolist()


def test_workers_do_not_matter(whole: CircuitFront) -> None:
    assert timeless(run(workers=3)) == timeless(whole)


def test_seeds_do(whole: CircuitFront) -> None:
    assert timeless(run(seed=4)) != timeless(whole)


def test_a_front_reads_back(whole: CircuitFront) -> None:
    assert CircuitFront.from_json(whole.to_json()).to_json() == whole.to_json()
    assert whole.to_csv().count("\n") == 1 + len(whole.designs)
    for text in ("{}", "[1", whole.to_json().replace("mlpress circuits 5", "mlpress circuits 9")):
        with pytest.raises(MlpressError, match="front"):
            CircuitFront.from_json(text)


def test_resuming_gives_the_whole_run(whole: CircuitFront, tmp_path: Path) -> None:
    file = tmp_path / "state.npz"
    run(Budget(generations=2), checkpoint=file)
    assert timeless(run(checkpoint=file, resume=True)) == timeless(whole)


def test_an_interrupt_ends_with_the_front_so_far(tmp_path: Path) -> None:
    class Impatient(Unwatched):
        def round(self, done: Round) -> None:
            assert done.front[0, 1] >= 0
            if done.number == 2:
                raise KeyboardInterrupt

    file = tmp_path / "state.npz"
    front = run(checkpoint=file, progress=Impatient())
    assert front.stopped == "interrupted"
    assert timeless(front) == timeless(run(Budget(generations=2)))
    assert timeless(run(checkpoint=file, resume=True)) == timeless(run())


KILLED = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from test_evolution import *
class Fatal(Unwatched):
    def round(self, done):
        if done.number == 3:
            os.kill(os.getpid(), signal.SIGKILL)
run(checkpoint=Path({file!r}), progress=Fatal())
"""


def test_a_killed_run_resumes_where_it_was(whole: CircuitFront, tmp_path: Path) -> None:
    file = tmp_path / "state.npz"
    script = KILLED.format(tests=str(Path(__file__).parent), file=str(file))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run([sys.executable, "-c", script], env=environment, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert timeless(run(checkpoint=file, resume=True)) == timeless(whole)


def test_foreign_and_damaged_checkpoints(tmp_path: Path) -> None:
    file = tmp_path / "state.npz"
    run(Budget(generations=1), checkpoint=file)
    with pytest.raises(MlpressError, match="other data"):
        run(checkpoint=file, resume=True, seed=9)
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(MlpressError, match="no checkpoint"):
        run(checkpoint=file, resume=True)
    with pytest.raises(MlpressError, match="cannot read"):
        run(checkpoint=tmp_path / "none.npz", resume=True)
    with pytest.raises(MlpressError, match="no checkpoint to resume"):
        run(resume=True)


def problem(most_cm2: float | None = None) -> GateProblem:
    costs = egfet.gate_costs()
    effort = replace(EFFORT, folds=3, augmentations=("rows", "moved"))
    return GateProblem(INPUTS, CLASSES, rows(), (Tree(INPUTS, CLASSES, 8),), costs, effort, 0, most_cm2)


def alone(made: GateProblem, archive: int) -> Archive:
    """Archive ``archive`` after a first round without guests."""
    return advance(made, Turn(Archive(archive), ()))


@pytest.mark.parametrize("members", [[], [[-1.0, 0, 0, 0]], [[float("nan"), 0, 0, 0]], [[1.0, 0, 0, 9]], [[1.0, 0]]])
def test_a_checkpoint_with_impossible_members(tmp_path: Path, members: list[list[float]]) -> None:
    made, file = problem(), tmp_path / "state.npz"
    archives = tuple(alone(made, k) for k in range(made.archives))
    checkpoint.save(file, made, GateState(archives, 1.0, (1.0,)))
    assert checkpoint.load(file, made).archives[3].members[0].cost == archives[3].members[0].cost
    facts, arrays = read_state(file, checkpoint.FORMAT, made.key)
    facts["members"][3] = members
    write_state(file, checkpoint.FORMAT, made.key, facts, arrays)
    with pytest.raises(MlpressError, match="no checkpoint"):
        checkpoint.load(file, made)


def test_every_row_is_held_out_once_in_every_augmentation() -> None:
    made = problem()
    held = np.array([made.held_out(archive) for archive in range(made.archives)])
    assert made.archives == 8
    assert (held[:3].sum(axis=0) == 1).all()
    assert not held[3].any()
    assert (held[4:] == held[:4]).all()
    assert [made.augmentation(archive) for archive in range(8)] == ["rows"] * 4 + ["moved"] * 4


def test_an_archive_does_not_see_the_rows_that_it_is_judged_by() -> None:
    """Other codes in the held-out rows change what is said of an archive, and not its circuits."""
    made = problem()
    held = made.held_out(1)
    codes = np.where(held[:, None], 7 - made.rows.codes, made.rows.codes)
    other = GateProblem(INPUTS, CLASSES, Rows(codes, made.rows.labels), made.starts, made.costs, made.effort, 0)
    assert other.held_out(1).tolist() == held.tolist()
    all_of = [[Archive(k) for k in range(made.archives)]] * 2
    for _ in range(3):
        all_of = [
            [advance(of, turn) for turn in turns(of, each)] for of, each in zip((made, other), all_of, strict=True)
        ]
    for archive in range(made.archives):
        one, two = ([(m.cost, m.wrong) for m in each[archive].members] for each in all_of)
        assert (one == two) == (made.fold(archive) == 1)
    assert [each.held for each in all_of[0][1].members] != [each.held for each in all_of[1][1].members]


def test_an_archive_takes_in_what_others_found() -> None:
    """Of all rows: from everyone.  Of a fold: from archives that hold the same rows out."""
    made = problem()
    archives = [alone(made, k) for k in range(made.archives)]
    for turn in turns(made, archives):
        own = turn.archive.index
        others = [k for k in range(8) if k != own and (own % 4 == 3 or k % 4 == own % 4)]
        assert {id(guest) for guest in turn.guests} == {id(member) for k in others for member in archives[k].members}
    guests = turns(made, archives)[3].guests
    taken = advance(made, Turn(Archive(3, rounds=len(made.starts)), guests)).members
    packed = pack_rows(INPUTS, len(CLASSES), made.rows)
    assert [member.wrong for member in taken] == [wrong_rows(made, member.genome, packed) for member in taken]
    for guest in guests:
        wrong = wrong_rows(made, guest.genome, packed)
        assert any(each.wrong <= wrong and each.cost <= guest.cost * exp(BIN) for each in taken)


@pytest.mark.parametrize("known", [[5000], [5000, 5000, 5000], [0, 900, 901, 40_000], list(range(100, 20_000, 700))])
def test_what_is_stated_of_an_area_comes_from_circuits_of_like_area(known: list[int]) -> None:
    areas, asked = np.array(known), np.array([0, 1, 700, 5000, 60_000])
    assert near_area(asked, areas, np.full(len(known), 7)) == pytest.approx([7.0] * 5)
    logs = np.log(np.maximum(areas, 1))
    line = np.clip(np.log(np.maximum(asked, 1)), logs.min(), logs.max())
    assert near_area(asked, areas, 1000 - 90 * logs) == pytest.approx(1000 - 90 * line, abs=5)


def test_a_lucky_circuit_among_its_likes_is_not_believed() -> None:
    areas = (1000 * np.exp(LIKE * np.linspace(-3, 3, 25))).round().astype(np.int64)
    wrong = np.full(25, 40)
    wrong[12] = 10
    stated = near_area(areas, areas, wrong)
    assert 33 < stated[12] < 39
    assert near_area(areas[:1], areas[12:13], wrong[12:13]).tolist() == [10.0]
    assert near_area(areas, areas, wrong * 0).tolist() == [0.0] * 25


def test_energy_only_falls() -> None:
    made, archive = problem(), Archive(5)
    energies = []
    for _ in range(5):
        archive = advance(made, Turn(archive, ()))
        energies.append(archive.energy)
    assert archive.rounds == 5
    assert energies == sorted(energies, reverse=True)
    assert energies[-1] < energies[0]


def test_a_cycle_comes_down_in_price_from_a_circuit_that_is_small_enough() -> None:
    members = alone(problem(), 3).members
    small = MARGIN * members[len(members) // 2].cost * 1e-8
    for most in (None, small, 0.0):
        made = problem(most_cm2=None if most is None else most / MARGIN)
        for seed in range(30):
            parent, prices = cycle(made, 3, members, np.random.default_rng(seed))
            assert parent in members
            assert prices == sorted(prices, reverse=True)
            assert 1 <= len(prices) <= len(made.effort.prices)
            if most is not None:
                assert parent.cost * 1e-8 <= most or parent is members[0]


def test_starts_are_circuits_and_trained_nets_too() -> None:
    net = ir.Net(
        INPUTS,
        (ir.Layer(tuple(ir.Neuron(0, ir.weight_terms(w, k, 3), ir.Raw()) for k, w in enumerate((3, -2, 1)))),),
        ir.Argmax(),
        CLASSES,
    )
    trained = Trained(net, (2,))
    assert trained.name == "trained 4-2-3"
    made = trained.make(rows(), 1)
    assert made == trained.make(rows(), 1)
    given = FixedStart("exact", ir.bit_blast(net), trained)
    assert given.make(rows(), 1) == given.circuit
    assert given.make(rows(), 1, part=True) == made
    assert FixedStart("exact", given.circuit).make(rows(), 1, part=True) == given.circuit
    costs = egfet.gate_costs()
    front = evolve(
        INPUTS, CLASSES, rows(), [given, trained], costs, egfet.METRICS, Budget(generations=2), effort=EFFORT
    )
    assert {design.start for design in front.designs} <= {"exact", "trained 4-2-3"}
    assert front.most_accurate().validation_accuracy > 0.5


def test_what_cannot_be_evolved() -> None:
    with pytest.raises(MlpressError, match="start"):
        evolve(INPUTS, CLASSES, rows(), [], egfet.gate_costs(), egfet.METRICS, Budget(generations=1))
    with pytest.raises(MlpressError, match="folds"):
        GateSearchOptions(folds=1)
    for prices in ((), (1.0, 2.0), (1.0, 0.0)):
        with pytest.raises(MlpressError, match="prices"):
            GateSearchOptions(prices=prices)


def test_a_negative_weight_of_power_is_refused() -> None:
    with pytest.raises(MlpressError, match="weight of power is -1"):
        GateSearchOptions(power=-1.0)
