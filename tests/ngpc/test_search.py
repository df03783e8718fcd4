"""Searches of fields: the passes, the quick judge, the front, the choice, and the command line."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from support.fields import one_grid, samples, small
from typer.testing import CliRunner

import mlpress as mp
from mlpress import ir
from mlpress.approx import FieldSpace
from mlpress.approx.fields.evaluate import FieldJudge
from mlpress.approx.fields.passes import power_of_two, without_levels
from mlpress.cli import app
from mlpress.codegen import onnx_field
from mlpress.errors import MlpressError
from mlpress.frontend import Dataset
from mlpress.pipeline.fields import psnr


def wanted(field: ir.Field, rows: int = 400) -> Dataset:
    """Samples whose wanted values are nearly the field's own."""
    x = samples(field, rows)
    noise = np.random.default_rng(5).normal(0, 0.02, (len(x), len(field.outputs)))
    return Dataset(x.astype(np.float64), ir.interpret_field(field, x) + noise, field.inputs)


@pytest.fixture(scope="module")
def field() -> ir.Field:
    return one_grid("hash", 2, levels=4, widths=(8, 8))


@pytest.fixture(scope="module")
def found(field: ir.Field) -> Any:
    return mp.search(field, wanted(field), target="ngpc:8", minimise="energy", generations=6, max_loss=2.0)


def test_powers_of_two_are_the_nearest() -> None:
    weight = np.array([[0.0, 1.0, -0.74, 0.76, 3.1, -2.9, 1e-9, 0.5]], np.float32)
    assert power_of_two(weight).tolist() == [[0, 1, -0.5, 1, 4, -2, 0, 0.5]]
    rng = np.random.default_rng(0).normal(size=(9, 9)).astype(np.float32)
    powers = 2.0 ** np.arange(-24, 4)
    nearest = powers[np.abs(np.abs(rng)[..., None] - powers).argmin(axis=-1)]
    np.testing.assert_array_equal(power_of_two(rng), np.sign(rng) * nearest)


@pytest.mark.parametrize("name", ["gia", "nsdf", "nerf"])
def test_a_level_left_out_is_a_table_of_zeros(name: Any) -> None:
    field = small(name, "hashgrid")
    x = samples(field)
    (grid,) = field.grids()
    node = field.nodes[0]
    assert isinstance(node, ir.Encode)
    zeroed = [
        replace(level, table=np.zeros_like(level.table)) if k in {0, 3, 15} else level
        for k, level in enumerate(grid.levels)
    ]
    zeros = replace(field, nodes=(replace(node, encoding=replace(grid, levels=tuple(zeroed))), *field.nodes[1:]))
    pruned = without_levels(field, {0: {0, 3, 15}})
    ir.verify(pruned)
    assert len(pruned.grids()[0].levels) == 13
    np.testing.assert_array_equal(ir.interpret_field(pruned, x), ir.interpret_field(zeros, x))
    with pytest.raises(MlpressError, match="no level would be left"):
        without_levels(field, {0: set(range(16))})
    with pytest.raises(MlpressError, match="node 1: its levels cannot be left out"):
        without_levels(field, {1: {0}})


@pytest.mark.parametrize("half", [False, True])
def test_the_quick_judge_and_the_decoded_field_agree(half: bool) -> None:
    field = small("nerf", "hashgrid")
    field = ir.with_halves(field) if half else field
    space, data = FieldSpace.of(field), wanted(field, 100)
    judge = FieldJudge(space, data.features, data.labels)
    rng = np.random.default_rng(1)
    for _ in range(4):
        genome = space.clip(rng.integers(space.low, space.high + 1))
        exact = ir.interpret_field(space.decode(genome), data.features)
        assert judge.psnr(genome, np.arange(len(data))) == pytest.approx(psnr(data.labels, exact), abs=0.02)
    assert space.decode(np.zeros(space.size, np.int64)) == field
    everything = space.clip(np.full(space.size, 99))
    assert len(space.decode(everything).grids()[0].levels) == 1
    with pytest.raises(MlpressError, match="genome of this field"):
        space.decode(everything + 9)


def test_the_chosen_design_is_the_cheapest_within_the_loss(found: Any, field: ir.Field) -> None:
    design, front = found.chosen(), found.front
    data = wanted(field)
    exact = mp.compile(field, data, target="ngpc:8")
    assert design.cost["energy"] < exact.cost["energy"]
    chosen = next(one for one in design.facts["front"] if one["chosen"])
    assert front.reference - chosen["accuracy"] <= 2.0
    cheaper = [one for one in front.designs if front.price(one) < design.cost["energy"]]
    assert all(front.reference - one.validation_accuracy > 2.0 for one in cheaper)
    for one in front.designs:  # what was measured is what is built, and what was judged is what is shipped
        program = found.program(one)
        own = ir.interpret_field(program, data.features)
        both = 0.75 * one.fit_accuracy + 0.25 * one.validation_accuracy
        assert psnr(data.labels, own) == pytest.approx(both, abs=1.0)
        assert mp.compile(program, data, target="ngpc:8").cost["energy"] == pytest.approx(one.cost["energy"])
    assert design.program == found.program(front.designs[chosen["design"]])
    assert chosen["energy_nj"] == front.price(front.designs[chosen["design"]])
    costs, ratios = zip(*((front.price(one), one.ranking) for one in front.designs), strict=True)
    assert list(costs) == sorted(costs)
    assert max(ratios) == ratios[-1]
    assert {row["verdict"] for row in design.facts["verification"]} == {"equal"}


def test_the_same_seed_finds_the_same(found: Any, field: ir.Field) -> None:
    again = mp.search(field, wanted(field), target="ngpc:8", minimise="energy", generations=6, max_loss=2.0)
    assert again.front.designs == found.front.designs
    other = mp.search(field, wanted(field), target="ngpc:8", minimise="energy", generations=6, max_loss=2.0, seed=1)
    assert other.front.designs != found.front.designs


def test_fewer_bits_and_shifts_cost_less(field: ir.Field) -> None:
    target = mp.targets.read_target("ngpc:8")
    space = FieldSpace.of(field)
    cost = [target.measure(space.decode(space.uniform(t, p)), None).values for t, p in ((0, 0), (5, 0), (5, 1))]  # type: ignore[attr-defined]
    assert cost[0]["energy"] > cost[1]["energy"] > cost[2]["energy"]
    assert cost[0]["sram"] > 7 * cost[1]["sram"]  # 4 bits in place of 32
    assert cost[1]["weights"] == 4 * cost[2]["weights"]


def run(*words: Any) -> Any:
    return CliRunner().invoke(app, [*map(str, words)], env={"COLUMNS": "200"})


def test_the_command_line(field: ir.Field, tmp_path: Path) -> None:
    onnx.save(onnx_field(field), tmp_path / "field.onnx")
    data, build = wanted(field), tmp_path / "build"
    np.savez(tmp_path / "samples.npz", X=data.features, y=data.labels)
    np.savez(tmp_path / "own.npz", X=data.features)
    words = ("search", tmp_path / "field.onnx", "--target", "ngpc:8", "-o", build, "--generations", "3")
    given = ("--data", tmp_path / "samples.npz", "--minimise", "sram", "--max-loss", "3")
    made = run(*words, *given, "--test", tmp_path / "samples.npz", "--json")
    assert made.exit_code == 0, made.output
    facts = json.loads(made.stdout)
    assert facts["search"]["metric"] == "sram_b"
    rows = list(csv.DictReader(io.StringIO((build / "front.csv").read_text())))
    front = json.loads((build / "front.json").read_text())
    assert len(rows) == len(front["designs"]) == len(facts["front"])
    assert {"validation_psnr_db", "sram_b", "tables", "layers"} <= rows[0].keys()
    assert (build / "front.svg").is_file()
    assert "Accuracy against cost" in (build / "report.html").read_text()
    assert run("verify", build).exit_code == 0
    for more, says in (
        (("--data", tmp_path / "own.npz"), "give wanted values as y"),
        ((*given, "--rounds", "3"), "the search of a field has no option rounds"),
        ((*given, "--level", "gates"), "the search of a field has no option level"),
        ((*given, "--features", "x,y"), "a field has no names of features"),
        (("--data", tmp_path / "samples.npz", "--minimise", "flash"), "has no metric 'flash'"),
    ):
        wrong = run(*words, *more)
        assert isinstance(wrong.exception, MlpressError)
        assert says in str(wrong.exception)
        assert "\n" not in str(wrong.exception)


def test_a_limit_that_nothing_meets_is_refused(found: Any) -> None:
    with pytest.raises(MlpressError, match=r"no design is within 0\.001 nJ"):
        found.smallest(most={"energy": 0.001})
    best = found.smallest(max_loss=None, most={"energy": 1e9})
    assert best.facts["accuracy"]["validation"] == max(one.validation_accuracy for one in found.front.designs)
