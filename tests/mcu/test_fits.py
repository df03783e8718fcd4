"""Which parts a design fits: over all cores, the cheapest first, and told by the command line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.mcu_nets import nets

from mlpress import ir
from mlpress.cli import main
from mlpress.design import Design
from mlpress.hw import mcu
from mlpress.pipeline.compile import Options, build_design
from mlpress.sim import mcu as sim
from mlpress.targets import Rows, fitting, read_target


@pytest.fixture(scope="module")
def design() -> Design:
    net = next(net for net in nets(5, 20) if isinstance(net.head, ir.Argmax))
    features = np.random.default_rng(0).uniform(0, 1, (12, len(net.inputs)))
    labels = np.asarray(net.classes)[ir.interpret(net, ir.encode(net, features)).decision]
    return build_design(net, features, labels, Options.of("rv32ec"))


def test_all_parts_of_all_cores_the_cheapest_that_fits_first(design: Design, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sim, "emulation_lacks", lambda core: "no tools")
    found = fitting(design.program, design.rows)
    assert {part["part"] for part in found} == set(mcu.parts())
    assert {part["core"] for part in found} == set(mcu.cores())
    assert all(part["fits"] and not part["stack_known"] for part in found)
    prices = [part["dollars"] for part in found]
    known = [price for price in prices if price is not None]
    assert prices == sorted(known) + [None] * (len(prices) - len(known))
    unknown = [(part["flash"], part["ram"]) for part in found if part["dollars"] is None]
    assert unknown == sorted(unknown)
    for part in found:
        assert part["sources"]["part"]
        assert (part["dollars"] is None) == (part["sources"]["price"] == "")
        assert part["microseconds"] == part["cycles"] / mcu.parts()[part["part"]].megahertz
        assert part["nanojoules"] is None  # no part's active power is known


def test_a_part_that_is_too_small_stands_last(design: Design, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = dict(mcu.parts())
    cheap = replace(parts["CH32V003"], flash=1, milliwatt_per_megahertz=0.25)
    monkeypatch.setattr(mcu, "parts", lambda: {**parts, "CH32V003": cheap})
    target = read_target("rv32ec")
    rows = Rows(design.features, design.rows.codes, design.labels)
    (one,) = target.parts(design.artifact, rows)  # type: ignore[attr-defined]
    assert not one["fits"]
    assert one["stack_known"]
    assert one["flash_needed"] == design.cost["flash"]
    assert one["nanojoules"] == pytest.approx(one["cycles"] / 4)
    monkeypatch.setattr(sim, "emulation_lacks", lambda core: "no tools")
    assert fitting(design.program, design.rows)[-1]["part"] == "CH32V003"


def test_the_command_line(
    design: Design, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sim, "emulation_lacks", lambda core: "no tools")
    folder = design.save(tmp_path / "build")
    with pytest.raises(SystemExit) as ended:
        main(["targets", "--fits", str(folder), "--json"])
    assert not ended.value.code
    found = json.loads(capsys.readouterr().out)
    assert found[0]["part"] == "CH32V003"
    with pytest.raises(SystemExit):
        main(["targets", "--fits", str(folder)])
    said = capsys.readouterr()
    assert "not known" in said.out
    assert "makers' announcements" in said.out + said.err
    with pytest.raises(SystemExit) as ended:
        main(["targets", "--fits", str(tmp_path)])
    assert ended.value.code == 2
