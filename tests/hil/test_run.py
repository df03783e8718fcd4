"""``mlpress run`` on devices on a line, and ``mlpress firmware``."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from rich.console import Console
from sklearn.neural_network import MLPClassifier, MLPRegressor
from support.boards import documented_board, emulated, host_program, messages, talk
from support.reports import run_table
from support.told import Told

from mlpress import Dataset, Design, MlpressError, codegen, from_sklearn, ir
from mlpress.cli import main
from mlpress.pipeline.compile import Options, compile_model
from mlpress.pipeline.run import run
from mlpress.pipeline.stream import COLUMNS, Streamed, Streaming
from mlpress.sim import hil
from mlpress.sim import mcu as sim
from mlpress.targets import Microcontroller, Reading, read_target
from mlpress.targets.printed import PrintedArtifact


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def mlpress(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The command line in this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> Done:
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in words])
        said = capsys.readouterr()
        return Done(int(end.value.code or 0), said.out, said.err)

    return call


@pytest.fixture(scope="module")
def design() -> Design:
    rng = np.random.default_rng(0)
    features = rng.uniform(0, 1, (90, 4))
    labels = features[:, :3].argmax(axis=1)
    rows = Dataset(features, labels, ("a", "b", "c", "d"), ("low", "mid", "=high"))
    estimator = MLPClassifier((3,), max_iter=200, random_state=0, solver="lbfgs").fit(features, labels)
    return compile_model(from_sklearn(estimator), rows, Options.of("cortex-m0plus", shape="looped"))


@pytest.fixture(scope="module")
def folder(design: Design, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return design.save(tmp_path_factory.mktemp("line") / "build")


def board(design: Design) -> hil.PtyDevice:
    files = design.target.firmware(design.artifact, "framed")  # type: ignore[attr-defined]
    source = design.artifact.source  # type: ignore[attr-defined]
    return emulated(sim.build_board(source, files, design.target.core()))  # type: ignore[attr-defined]


def test_the_emulated_board_answers_as_the_emulated_core(design: Design, tmp_path: Path) -> None:
    seen: list[Streamed] = []
    log = tmp_path / "out.csv"
    found = run(design, "pty", streaming=Streaming(log=log), watch=seen.append)
    alone = run(design, "emulated")
    for key in ("accuracy", "interval", "different", "rows", "metric"):
        assert found[key] == alone[key], key
    assert found["values"]["cycles"] == alone["values"]["cycles"]
    assert found["cycles"] == alone["cycles"]
    assert found["hz"] == 48_000_000
    assert found["latency_us"]["mean"] == pytest.approx(found["cycles"]["mean"] / 48)
    assert found["faults"].keys() == {"damaged", "refused", "silent", "sent_again", "restarts", "reopened"}
    assert found["faults"]["restarts"] == found["faults"]["damaged"] == 0
    assert not found["interrupted"]
    assert "ARM DDI 0484C" in found["how"]["cycles"]
    assert [one.done for one in seen] == list(range(1, 91))
    assert seen[-1].right == round(90 * found["accuracy"])
    assert seen[-1].latency_us == pytest.approx(found["latency_us"]["mean"])
    header, *lines = csv.reader(log.read_text().splitlines())
    assert tuple(header) == COLUMNS
    assert [int(line[0]) for line in lines] == list(range(90))
    assert [line[2] for line in lines] == design.predict(design.features).tolist()
    assert sum(line[3] == "1" for line in lines) == seen[-1].right
    assert np.mean([float(line[4]) for line in lines]) == found["cycles"]["mean"]
    assert "round_trip_ms" in shown(run_table(found))


def shown(table: Any) -> str:
    screen = StringIO()
    Console(file=screen, width=200, color_system=None).print(table)
    return screen.getvalue()


def test_a_port_at_a_rate(design: Design) -> None:
    with board(design) as device:
        began = time.monotonic()
        found = run(design, f"serial:{device.path}@9600", streaming=Streaming(rate_hz=300))
    assert (found["rows"], found["different"], found["hz"]) == (90, 0, 1_000_000)
    assert time.monotonic() - began > 89 / 300
    assert "own counter" in found["how"]["cycles"]


def test_energy_where_the_power_is_known(design: Design, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlpress.hw import mcu

    part = mcu.Part("X1", "cortex-m0plus", 10.0, 1, 1, 0.2, "its data sheet", None, "")
    monkeypatch.setattr(mcu, "parts", lambda: {"X1": part})
    found = run(design, "pty")
    assert found["hz"] == 10_000_000
    assert found["energy_uj"]["mean"] == pytest.approx(0.2e-3 * found["cycles"]["mean"])  # 0.2 mW/MHz: 0.2 nJ
    assert found["how"]["energy"] == "cycles at the active power of X1: its data sheet"


def test_another_design_on_the_board_is_refused(design: Design) -> None:
    shape = hil.Shape(b"another!", 4, 1, 3, 3, 4)
    device = hil.PtyDevice(hil.Bridge(shape, lambda codes: hil.Reply(0, (0, 0, 0), 0)).run)
    with device, pytest.raises(MlpressError, match=r"runs model .*, not .*\(mlpress firmware\)"):
        run(design, f"serial:{device.path}")


class Erring:
    """A session whose device is wrong about the class of row 3 and about a score of row 5."""

    hz, nanojoules, how, faults = 0, None, {}, {"sent_again": 0}

    def __init__(self, design: Design) -> None:
        trace = ir.interpret(design.program, design.rows.codes)  # type: ignore[arg-type]
        assert trace.decision is not None
        self.classes, self.scores = trace.decision.tolist(), trace.scores.tolist()
        self.classes[3] = (self.classes[3] + 1) % 3
        self.scores[5][0] += 1
        self.row = 0

    def ask(self, codes: Any) -> Reading:
        self.row += 1
        return Reading({"output y": self.classes[self.row - 1]}, tuple(self.scores[self.row - 1]), 0, 1, 0.0)

    def close(self) -> None:
        assert self.row == 90


def test_a_board_that_errs_is_told(design: Design, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: Mapping[str, Any] = {"pty": lambda argument, progress: Erring(design)}
    monkeypatch.setattr(Microcontroller, "lines", lambda self, artifact: lines)
    found = run(design, "pty")
    assert found["different"] == 2
    assert "latency_us" not in found
    assert "cycles" not in found


def test_devices_that_are_not_there(design: Design) -> None:
    for device in ("serial", "pty:x", "tty:x", ""):
        with pytest.raises(MlpressError, match="there are emulated, host, pty, serial:PORT"):
            run(design, device)
    for streaming in (Streaming(rate_hz=1.0), Streaming(log=Path("x.csv"))):
        with pytest.raises(MlpressError, match="device host runs all rows at once"):
            run(design, "host", streaming=streaming)
    with pytest.raises(MlpressError, match="cannot open /dev/no-port"):
        run(design, "serial:/dev/no-port")
    with pytest.raises(MlpressError, match="the rate is 0 rows per second"):
        Streaming(rate_hz=0.0)


def test_sensors_distort_what_any_device_sees(design: Design) -> None:
    plain = run(design, "host")
    found = [run(design, "host", sensors=[hil.Noise(0.5)], seed=seed) for seed in (1, 1, 2)]
    assert found[0] == found[1]
    assert found[0]["accuracy"] < plain["accuracy"]
    assert all(one["different"] == 0 for one in found)


def test_a_printed_design_answers_on_a_line(tmp_path: Path) -> None:
    """The circuit says whether the low bits of two inputs differ, and whether the high ones are both set."""
    gates = np.array([(2, 7), (3, 6), (11, 13), (4, 8)], np.int32)
    inputs = tuple(ir.Input(name, 2, 4.0, 0.0) for name in "ab")
    program = ir.Circuit(inputs, gates, ((15, 16),), ("none", "low", "high", "both"))
    codes = np.array([(a, b) for a in range(4) for b in range(4)])
    labels = ((codes[:, 0] ^ codes[:, 1]) & 1) + 2 * (codes[:, 0] >> 1 & codes[:, 1] >> 1)
    files = {"top.v": codegen.to_verilog(program)}
    for registered in (False, True):
        target = read_target("egfet", registered=registered)
        if registered:
            files = {"top.v": codegen.to_verilog(program, registered=True)}
        artifact = PrintedArtifact(program, program, "", target.cells(), files, {})
        made = Design(program, {}, files, b"", (codes + 0.5) / 4, labels, built=(target, artifact))
        log = tmp_path / "out.csv"
        found = run(made, "rtl-pty", streaming=Streaming(log=log))
        assert (found["different"], found["rows"], found["accuracy"], found["values"]) == (0, 16, 1.0, {})
        assert len(log.read_text().splitlines()) == 17


def test_a_regression_on_a_line() -> None:
    features = np.random.default_rng(0).uniform(0, 1, (40, 3))
    wanted = features @ [1.0, -2.0, 0.5]
    estimator = MLPRegressor(hidden_layer_sizes=(3,), max_iter=200, random_state=0, solver="lbfgs").fit(
        features, wanted
    )
    rows = Dataset(features, wanted, ("a", "b", "c"))
    made = compile_model(from_sklearn(estimator), rows, Options.of("rv32imc", shape="looped"))
    found = run(made, "pty")
    assert (found["metric"], found["interval"], found["different"]) == ("r2", None, 0)
    assert found["accuracy"] == made.facts["accuracy"]["quantised"]


def test_an_interrupt_leaves_the_log_complete(folder: Path, tmp_path: Path) -> None:
    log = tmp_path / "out.csv"
    words = ["run", str(folder), "--device", "pty", "--rate", "10", "--log", str(log), "--json"]
    with subprocess.Popen(
        [sys.executable, "-m", "mlpress", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        until = time.monotonic() + 60
        while not (log.exists() and log.read_text().count("\n") > 5) and time.monotonic() < until:
            time.sleep(0.02)
        child.send_signal(signal.SIGINT)
        said, complained = child.communicate(timeout=60)
    assert child.returncode == 0, complained
    found = json.loads(said)
    text = log.read_text()
    assert text.endswith("\n")
    lines = list(csv.reader(text.splitlines()))
    assert all(len(line) == len(COLUMNS) for line in lines)
    assert 5 <= found["rows"] == len(lines) - 1 < 90
    assert (found["interrupted"], found["different"]) == (True, 0)


def test_the_command_line(folder: Path, mlpress: Any) -> None:
    done = mlpress("run", folder, "--device", "pty", "--sensor", "adc:bits=5", "--sensor", "missing")
    assert done.returncode == 0, done.stderr
    assert "device pty" in done.stdout
    assert "latency_us, max" in done.stdout
    for words, says in (
        (("--device", "pty", "--sensor", "lens"), "mlpress: no sensor 'lens'; there are adc, noise, missing\n"),
        (("--device", "pty", "--log", "no/x.csv"), "mlpress: cannot write the log no/x.csv: No such file or directory"),
        (("--device", "serial:"), "mlpress: name the port: serial:/dev/ttyACM0"),
    ):
        done = mlpress("run", folder, *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(says)


def test_the_firmware_of_a_folder(folder: Path, tmp_path: Path, mlpress: Any) -> None:
    done = mlpress("firmware", folder, "-o", tmp_path / "one", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["files"] == [
        *("board.h", "firmware.h", "framed.c", "frames.h", "model.c", "model.h"),
    ]
    files = {path.name: path.read_text() for path in (tmp_path / "one").iterdir()}
    program = host_program({**files, "board.c": documented_board()}, tmp_path)
    (greeting,) = messages(talk(program, b""))
    assert greeting is not None
    assert greeting.type == 0x81
    done = mlpress("firmware", folder, "-o", tmp_path / "one", "--protocol", "mlperf")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "one" / "mlperf.c").exists()
    assert not (tmp_path / "one" / "framed.c").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("")
    for words, says in (
        (("-o", tmp_path / "mine"), "holds other files and no firmware.h"),
        (("-o", tmp_path / "two", "--protocol", "morse"), "no protocol 'morse'; there are framed, mlperf"),
    ):
        done = mlpress("firmware", folder, *words)
        assert done.returncode == 2
        assert says in done.stderr
    assert not (tmp_path / "two").exists()


def test_a_session_ends_with_its_device(design: Design) -> None:
    opens = design.target.lines(design.artifact)["pty"]  # type: ignore[attr-defined]
    with closing(opens("", Told())) as session:
        assert session.ask(design.rows.codes[0]).sent >= 1
        thread = session.device._thread
    assert not thread.is_alive()
