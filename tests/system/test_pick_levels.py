"""`mlpress pick` from fronts of gates, of both levels, and of fields: the member itself, verified, with its figures.

Searches of gates take some fifteen seconds of processor time: ``make long`` picks from these.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import real_designs

import mlpress as mp
from mlpress import ir
from mlpress.approx.gates import CircuitFront
from mlpress.errors import MlpressError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, request: Any) -> Path:
    return real_designs.chosen(request.param).save(tmp_path_factory.mktemp(request.param) / "build")


def others(design: mp.Design) -> list[int]:
    """The numbers of the designs that were not chosen."""
    return [one["design"] for one in design.facts["front"] if not one["chosen"]]


def same_but_chosen(picked: mp.Design, design: mp.Design, number: int) -> dict[str, Any]:
    """Check what a picked design keeps of the search, and return its point."""
    front = picked.facts["front"]
    assert [one["design"] for one in front if one["chosen"]] == [number]
    strip = [{**one, "chosen": None} for one in front]
    assert strip == [{**one, "chosen": None} for one in design.facts["front"]]
    assert picked.facts["landmarks"] == design.facts["landmarks"]
    assert picked.facts["options"] == design.facts["options"]
    assert picked.facts["search"]["picked"] == number
    assert all(row["equal"] for row in picked.facts["verification"])
    assert len(picked.facts["verification"]) > 2
    found: dict[str, Any] = front[number]
    assert picked.facts["accuracy"]["validation"] == found["accuracy"]
    return found


@pytest.mark.long
@pytest.mark.parametrize("folder", ["gates"], indirect=True)
def test_a_circuit_is_picked(folder: Path) -> None:
    design = mp.Design.load(folder)
    front = CircuitFront.from_json((folder / "front.json").read_text())
    number = others(design)[-1]
    picked = mp.pick(folder, number)
    point = same_but_chosen(picked, design, number)
    assert picked.program == front.designs[number].circuit
    assert picked.program != design.program
    assert isinstance(picked.program, ir.Circuit)
    assert picked.cost["area"] == pytest.approx(point["area_cm2"])
    assert picked.cost["power"] == pytest.approx(point["power_mw"])
    assert picked.facts["accuracy"]["test"]["quantised"] == pytest.approx(point["test"])
    assert picked.facts["search"]["start"] == front.designs[number].start
    assert "genes" not in picked.facts["search"]
    ports = {row["port"] for row in csv.DictReader(picked.text("converters.csv").splitlines())}
    assert ports == {name for name, _ in ir.input_ports(picked.program.inputs)}


@pytest.mark.long
@pytest.mark.parametrize("folder", ["both"], indirect=True)
def test_numbers_of_a_merged_front_are_those_of_its_table(folder: Path, tmp_path: Path) -> None:
    """Each level counts its designs on its own; the report, the table and ``pick`` have one number for each."""
    design = mp.Design.load(folder)
    found = real_designs.searched("both")
    table = list(csv.DictReader(found.merged.to_csv().splitlines()))
    assert [int(row["design"]) for row in table] == [one["design"] for one in design.facts["front"]]
    assert {row["level"] for row in table} == {"integer", "gates"}
    assert [row["level"] for row in table] == [one["level"] for one in design.facts["front"]]
    for level, kind in (("integer", ir.Net), ("gates", ir.Circuit)):
        number = next(
            k for k in reversed(range(len(table))) if table[k]["level"] == level and k != int(table[k]["number"])
        )
        picked = mp.pick(folder, number)
        point = same_but_chosen(picked, design, number)
        assert isinstance(picked.program, kind)
        own = {"integer": found.integer, "gates": found.front}[level].designs[int(table[number]["number"])]
        assert picked.program == found.program(own) == found.program(found.merged.designs[number])
        assert picked.facts["search"]["from_level"] == level
        assert picked.facts["accuracy"]["test"]["quantised"] == pytest.approx(point["test"])
    again = mp.pick(
        picked.save(tmp_path / "other"), next(one["design"] for one in design.facts["front"] if one["chosen"])
    )
    assert again.program == design.program
    (tmp_path / "other" / "gate_front.json").unlink()
    with pytest.raises(MlpressError, match=r"lacks gate_front\.json; search again"):
        mp.pick(tmp_path / "other", number)


@pytest.mark.parametrize("folder", ["fields"], indirect=True)
def test_a_field_is_picked(folder: Path, tmp_path: Path) -> None:
    design = mp.Design.load(folder)
    found, number = real_designs.searched("fields"), others(design)[0]
    picked = mp.pick(folder, number)
    point = same_but_chosen(picked, design, number)
    assert isinstance(picked.program, ir.Field)
    assert picked.program == found.program(found.front.designs[number])
    assert picked.cost["energy"] == pytest.approx(point["energy_nj"])
    assert picked.facts["search"]["tables"] == point["tables"]
    own = ir.interpret_field(picked.program, picked.features.astype(np.float32))
    error = np.mean((own - picked.labels) ** 2)
    assert picked.facts["accuracy"]["quantised"] == pytest.approx(10 * np.log10(np.ptp(picked.labels) ** 2 / error))
    back = mp.pick(
        picked.save(tmp_path / "other"),
        json.loads((folder / "design.json").read_text())["front"].index(
            next(one for one in design.facts["front"] if one["chosen"])
        ),
    )
    assert back.program == design.program
    (tmp_path / "other" / "front_start.mlp").unlink()
    with pytest.raises(MlpressError, match="search again"):
        mp.pick(tmp_path / "other", number)
