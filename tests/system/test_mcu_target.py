"""Microcontrollers as a target: compile, verify and run, through Python and the command line."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier, MLPRegressor
from support.commands import mlpress
from support.pages import Page
from support.reports import render, run_table, summary_table
from support.told import Told

from mlpress import Dataset, Design, MlpressError, compile, from_sklearn, ir, verify  # noqa: A004
from mlpress.hw.mcu import read_core
from mlpress.pipeline.compile import Options, build_design
from mlpress.pipeline.run import run
from mlpress.sim import mcu as sim
from mlpress.targets import Cost, Microcontroller, Rows, Trial, read_target
from mlpress.targets.c_engines import Firmware, check_codes, spread_first

ENGINES = ["reference interpreter", "onnxruntime", "C on this computer", "emulated cortex-m0plus"]
if not sim.qemu_lacks(read_core("cortex-m0plus")):
    ENGINES.append("QEMU microbit")


@pytest.fixture(scope="module")
def rows() -> Dataset:
    rng = np.random.default_rng(0)
    features = rng.uniform(0, 1, (90, 4))
    labels = features[:, :3].argmax(axis=1)
    return Dataset(features, labels, ("a", "b", "c", "d"), ("0", "1", "2"))


@pytest.fixture(scope="module")
def design(rows: Dataset) -> Design:
    estimator = MLPClassifier((3,), max_iter=200, random_state=0, solver="lbfgs").fit(rows.features, rows.labels)
    return compile(from_sklearn(estimator), rows, target="cortex-m0plus")


@pytest.fixture
def folder(design: Design, tmp_path: Path) -> Path:
    return design.save(tmp_path / "build")


def test_compile_writes_c_and_what_it_costs(design: Design, folder: Path) -> None:
    facts = json.loads((folder / "design.json").read_text())
    assert facts["kind"] == "mcu"
    assert [row["engine"] for row in facts["verification"]] == [*ENGINES, "input codes in C"]
    assert all(row["equal"] for row in facts["verification"])
    assert set(design.cost) == {"flash", "cycles", "stack", "ram"}
    assert design.cost["flash"] == facts["code"]["flash_bytes"] == design.artifact.firmware.image.sizes.flash
    assert design.cost["ram"] == 0
    assert "ARM DDI 0484C" in facts["cost"]["how"]["cycles"]
    spread = facts["mcu"]["cycles"]
    assert spread["min"] <= design.cost["cycles"] <= spread["max"]
    assert facts["mcu"]["parts"] == ["STM32C011F4", "RP2040"]
    assert "int model_predict(const uint8_t x[4])" in (folder / "model.c").read_text()


def test_a_folder_is_verified(folder: Path) -> None:
    loaded = Design.load(folder)
    assert not loaded.changed
    results = verify(loaded, rows=20)
    assert [result.engine for result in results] == [*ENGINES, "C text", "classes", "input codes in C"]
    assert all(result.equal for result in results)


def test_changed_c_is_noticed_and_never_compiled(folder: Path) -> None:
    (folder / "model.c").write_text("#error this must not be compiled\n")
    facts = json.loads((folder / "design.json").read_text())
    assert Design.load(folder).changed == ("model.c",)
    facts["sha256"]["model.c"] = hashlib.sha256((folder / "model.c").read_bytes()).hexdigest()
    facts["net"]["classes"].reverse()
    (folder / "design.json").write_text(json.dumps(facts))
    loaded = Design.load(folder)
    assert not loaded.changed
    verdicts = {result.engine: result.verdict for result in verify(loaded, rows=20)}
    assert {name for name, verdict in verdicts.items() if verdict != "equal"} == {"C text", "classes"}
    assert run(loaded, "host")["different"] == 0


def test_run_on_both_devices(design: Design, rows: Dataset) -> None:
    found = run(design, "emulated", rows)
    assert found["accuracy"] == design.facts["accuracy"]["quantised"]
    assert found["interval"] == design.facts["accuracy"]["intervals"]["quantised"]
    assert (found["different"], found["rows"]) == (0, 90)
    assert found["values"] == design.cost
    assert found["cycles"]["rows"] == 90
    host = run(design, "host")
    assert (host["accuracy"], host["values"]) == (found["accuracy"], {})
    text = shown(run_table(found))
    assert "cortex-m0plus, device emulated" in text
    assert "cycles, max" in text


def test_the_command_line_runs_a_folder(folder: Path) -> None:
    done = mlpress("run", folder, "--device", "emulated", "--json", cwd=folder.parent)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["different"] == 0
    assert found["cycles"]["min"] <= found["values"]["cycles"] <= found["cycles"]["max"]
    done = mlpress("targets", "--json", cwd=folder.parent)
    kinds = {target["name"]: target["kind"] for target in json.loads(done.stdout)}
    assert kinds["egfet"] == "printed"
    assert [name for name, kind in kinds.items() if kind == "mcu"] == list(CORES)


CORES = ("cortex-m0plus", "cortex-m4f", "cortex-m33", "rv32imc", "rv32ec", "atmega328p")


def test_reports_speak_of_the_target(design: Design) -> None:
    page = Page(render(design.facts)).text
    assert "network for cortex-m0plus" in page
    assert "What the code holds" in page
    assert not any(word in page for word in ("cells", "printed", "Verilog"))
    text = shown(summary_table(design.facts))
    assert "for cortex-m0plus" in text
    assert f"{design.cost['flash']} B" in text


def shown(table: Any) -> str:
    from io import StringIO

    from rich.console import Console

    screen = StringIO()
    Console(file=screen, width=200, color_system=None).print(table)
    return screen.getvalue().replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"shape": "round"}, "auto, unrolled"),
        ({"goal": "area"}, "flash, cycles"),
        ({"accumulators": 99}, "0 .* to 16"),
        ({"scores": 1}, "must be bool"),
        ({"effort": "fast"}, "no option 'effort'"),
    ],
)
def test_bad_options(options: dict[str, Any], says: str) -> None:
    with pytest.raises(MlpressError, match=says):
        read_target("rv32imc", options).check()


def test_unknown_device(design: Design) -> None:
    with pytest.raises(MlpressError, match="no device 'serial'; there are emulated, host"):
        run(design, "serial")


def test_without_tools_the_cost_model_speaks(design: Design, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sim, "emulation_lacks", lambda core: f"no tools for {core.name}")
    monkeypatch.setattr(sim, "host_lacks", lambda: "no C compiler")
    told = Told()
    program = design.program
    bare = build_design(program, design.features, design.labels, Options.of("cortex-m0plus"), progress=told)
    model = design.artifact.source.facts
    assert bare.cost == {"flash": model.flash, "cycles": model.cycles, "ram": 0}
    assert "cost model" in bare.facts["cost"]["how"]["flash"]
    assert [row["engine"] for row in bare.facts["verification"]] == ENGINES[:2]
    assert sum("one check less" in note for note in told.notes) == 2
    for device in ("emulated", "host"):
        with pytest.raises(MlpressError, match=r"no tools for|no C compiler"):
            run(bare, device)


def test_a_circuit(design: Design) -> None:
    assert isinstance(design.program, ir.Net)
    made = build_design(ir.bit_blast(design.program), design.features, design.labels, Options.of("rv32imc"))
    assert made.facts["code"]["shape"] == "sliced"
    assert run(made, "emulated")["different"] == 0


def _layer(weights: list[list[int]], biases: list[int], bits: int, activation: ir.QRelu | ir.Raw) -> ir.Layer:
    rows = [tuple(t for k, w in enumerate(row) for t in ir.weight_terms(w, k, bits)) for row in weights]
    return ir.Layer(tuple(ir.Neuron(bias, row, activation) for bias, row in zip(biases, rows, strict=True)))


def test_no_product_is_made_for_a_core_without_multiplier() -> None:
    hidden = _layer([[-81, 49, -13, 15], [-28, 5, -8, 18], [-6, 45, -125, 57]], [48, 50, 35], 4, ir.QRelu(3, 8))
    last = _layer([[-31, -75, 87], [6, -46, 0], [-45, -22, -51]], [-16, 9, 804], 8, ir.Raw())
    net = ir.Net(tuple(ir.Input(name, 4, 16.0, 0.0) for name in "abcd"), (hidden, last), ir.Argmax(), (0, 1, 2))
    features = np.random.default_rng(0).uniform(0, 1, (20, 4))
    target = read_target("rv32ec", shape="unrolled", goal="cycles")
    rows = Rows(features, ir.encode(net, features), np.zeros(20, np.int64))
    artifact = target.build(net, rows, Told())  # links no library, so that a product cannot be linked
    values = target.devices(artifact)["emulated"](rows.codes).values
    assert values["output y"].tolist() == ir.interpret(net, rows.codes).decision.tolist()


def test_a_regression(rows: Dataset) -> None:
    wanted = rows.features @ [1.0, -2.0, 0.5, 1.0]
    estimator = MLPRegressor(hidden_layer_sizes=(3,), max_iter=200, random_state=0, solver="lbfgs").fit(
        rows.features, wanted
    )
    made = compile(from_sklearn(estimator), Dataset(rows.features, wanted, rows.names), target="cortex-m4f")
    found = run(made, "emulated")
    assert (found["metric"], found["interval"], found["different"]) == ("r2", None, 0)
    assert found["accuracy"] == made.facts["accuracy"]["quantised"] > 0.9


def test_a_printed_design_runs_as_rtl(design: Design) -> None:
    target = read_target("egfet", effort="fast")
    artifact = target.build(design.program, design.rows, Told())
    made = Design(design.program, {}, artifact.files, b"", design.features, design.labels, built=(target, artifact))
    found = run(made, "rtl")
    assert (found["different"], found["accuracy"]) == (0, run(design, "host")["accuracy"])


def test_a_device_that_errs_is_told(design: Design, monkeypatch: pytest.MonkeyPatch) -> None:
    right = design.predict(design.features).astype(np.int64)
    wrong = np.where(np.arange(90) < 7, (right + 1) % 3, right)
    devices = {"host": lambda codes: Trial({"output y": wrong[: len(codes)]}, Cost({}))}
    monkeypatch.setattr(Microcontroller, "devices", lambda self, artifact: devices)
    found = run(design, "host")
    assert found["different"] == 7
    assert "DIFFERENT" in shown(run_table(found))


class WrongHost:
    """A host program whose ``_quantize`` is off by one."""

    def run(self, index: int, codes: Any, features: Any) -> tuple[Any, None, None]:
        assert index == 0
        assert len(features) == len(codes)
        return codes + 1, None, None


def test_wrong_scores_and_codes_are_seen(design: Design) -> None:
    known = design.artifact.firmware
    firmware = Firmware(known.program, known.source, known.core, known.optimise)
    codes = design.rows.codes
    trace = ir.interpret(design.program, codes)
    assert set(firmware.named(codes, trace.decision, trace.scores)) == {"output y"}
    wrong = trace.scores.copy()
    wrong[3, 1] += 1
    with pytest.raises(MlpressError, match="row 3, score 1"):
        firmware.named(codes, trace.decision, wrong)
    firmware.__dict__["host"] = WrongHost()
    result = check_codes(firmware, Rows(design.features, codes, design.labels))
    assert "row 0, input 0" in result.difference


def test_counted_rows_are_spread() -> None:
    assert spread_first(7, 3).tolist() == [0, 3, 6, 1, 2, 4, 5]
    assert spread_first(1, 1).tolist() == [0]
