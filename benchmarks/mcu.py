"""Generated C on microcontrollers: flash, cycles, instructions and accuracy beside the best peer and the bar.

The models are the fixed ones of ``--data`` (``<name>.onnx`` and ``<name>.npz`` with Xtrain, ytrain, Xtest, ytest,
ref).  With ``--harness PATH`` a harness that the peers were measured with measures ours, on the cores whose compiler
is installed; without it our own emulator does, with the Zig wheel's clang (no AVR).  ``--fuzz N`` holds N random
networks against the interpreter instead, bit for bit, on the host and on all emulated cores.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from support import ROOT, show

from mlpress.codegen import c
from mlpress.frontend import Dataset, load, quantise
from mlpress.hw import mcu
from mlpress.ir import Argmax, Input, Layer, Net, Neuron, QRelu, Raw, encode, interpret, weight_terms
from mlpress.sim import mcu as sim

CPUS = {"m0": "cortex-m0plus", "m4": "cortex-m4f", "rv32": "rv32imc", "avr": "atmega328p"}


class Bits(NamedTuple):
    """Bits of inputs, weights and hidden codes."""

    inputs: int
    weights: int
    hidden: int


class Row(NamedTuple):
    """A figure to measure: the model, its bits, the core, the unit, the bar and the best peer's figure, the code."""

    model: str
    bits: Bits
    cpu: str
    unit: str
    bar: int
    peer: int | None
    shape: str
    minimise: str
    optimise: str
    skip_zeros: bool = False


CANCER, IRIS, DIGITS = Bits(4, 2, 8), Bits(3, 3, 4), Bits(4, 4, 4)
ROWS = (
    Row("cancer", CANCER, "m0", "flash", 200, 1110, "unrolled", "cycles", "Os"),
    Row("iris", IRIS, "m0", "flash", 250, 576, "unrolled", "cycles", "Os"),
    Row("digits", DIGITS, "m0", "flash", 1500, 3126, "looped", "flash", "Os"),
    Row("digits", Bits(4, 8, 4), "m0", "flash", 2400, 3706, "coded", "cycles", "Os"),
    Row("cancer", CANCER, "m0", "cycles", 150, 2200, "unrolled", "cycles", "O2"),
    Row("iris", IRIS, "m0", "cycles", 200, 1800, "unrolled", "cycles", "O2"),
    Row("digits", DIGITS, "m0", "cycles", 15000, 26200, "looped", "cycles", "O2"),
    Row("cancer", CANCER, "m4", "insns", 110, 720, "unrolled", "cycles", "O2"),
    Row("iris", IRIS, "m4", "insns", 150, 960, "unrolled", "cycles", "O2"),
    Row("digits", DIGITS, "m4", "insns", 4400, 6790, "looped", "cycles", "Os"),
    Row("cancer", CANCER, "rv32", "insns", 125, 1050, "unrolled", "cycles", "O2"),
    Row("iris", IRIS, "rv32", "insns", 170, 1130, "unrolled", "cycles", "O2"),
    Row("digits", DIGITS, "rv32", "insns", 9000, 14900, "looped", "cycles", "O2"),
    Row("cancer", CANCER, "avr", "cycles", 900, 6880, "unrolled", "cycles", "O2"),
    Row("iris", IRIS, "avr", "cycles", 2000, None, "unrolled", "cycles", "O2"),
    Row("digits", DIGITS, "avr", "cycles", 40000, None, "looped", "cycles", "O2"),
)


class Trained(NamedTuple):
    """An integer network with its test rows, as codes, and float features."""

    net: Net
    codes: Any
    features: Any
    labels: Any
    float_classes: Any


def trained(folder: Path, name: str, bits: Bits) -> Trained:
    """Return the network of a fixed model; quantisation sees training rows only."""
    data = np.load(folder / f"{name}.npz", allow_pickle=False)
    rows = Dataset.from_arrays(data["Xtrain"], data["ytrain"])
    model = load(folder / f"{name}.onnx")
    net = quantise(model, rows, input_bits=bits.inputs, weight_bits=bits.weights, activation_bits=bits.hidden).net
    features = data["Xtest"]
    return Trained(net, encode(net, features), features, data["ytest"], data["ref"])


def source_of(row: Row, net: Net) -> c.CSource:
    """Return the code of a row."""
    options = c.COptions("net", row.shape, row.minimise, row.skip_zeros, scores=False)  # type: ignore[arg-type]
    return c.generate(net, mcu.read_core(CPUS[row.cpu]), options)


def by_harness(harness: Path, row: Row, source: c.CSource, model: Trained) -> dict[str, Any]:
    """Measure with the peers' harness; the host gives input codes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "code").mkdir()
        for file, text in source.files.items():
            (folder / "code" / file).write_text(text)
        call = '#include "net.h"\nint predict(const unsigned char *x) { return net_predict(x); }\n'
        (folder / "code" / "predict.c").write_text(call)
        settings = {"model": "codes", "input": "u8", "scale": 1.0, "zero": 0}
        (folder / "code" / "candidate.json").write_text(json.dumps(settings))
        arrays = {"Xtest": model.codes.astype(np.float64), "ytest": model.labels, "ref": model.float_classes}
        np.savez(folder / "codes.npz", **arrays)
        words = [sys.executable, str(harness), "--models", name, "--cpu", row.cpu, "--opt", row.optimise]
        subprocess.run(
            [*words, "--json", str(folder / "out.json"), str(folder / "code")], check=True, capture_output=True
        )
        found: dict[str, Any] = json.loads((folder / "out.json").read_text())[0]
    return found


def by_emulator(row: Row, source: c.CSource, model: Trained) -> dict[str, Any]:
    """Measure with our own emulator and the Zig wheel's clang."""
    core = mcu.read_core(CPUS[row.cpu])
    if core.isa == "avr":
        return {"error": "needs --harness, avr-gcc and simavr"}
    firmware = sim.build(source, core, row.optimise)
    run = sim.Emulator(firmware).run(model.codes)
    return {
        "flash": firmware.sizes.flash,
        "ram": firmware.sizes.ram,
        "stack": run.stack,
        "insns": float(run.instructions.mean()),
        "cycles": float(run.cycles.mean()),
        "acc": float(np.mean(run.predictions == model.labels)),
    }


def table(folder: Path, harness: Path | None) -> list[dict[str, Any]]:
    """Measure all rows of the table."""
    known: dict[tuple[str, Bits], Trained] = {}
    rows = []
    for row in ROWS:
        key = (row.model, row.bits)
        if key not in known:
            known[key] = trained(folder, *key)
        model = known[key]
        source = source_of(row, model.net)
        found = by_harness(harness, row, source, model) if harness else by_emulator(row, source, model)
        decided = interpret(model.net, model.codes).decision
        reference = float(np.mean(decided == model.labels)) if decided is not None else 0.0
        error = found.get("error")
        rows.append(
            {
                "model": row.model,
                "core": row.cpu,
                "unit": row.unit,
                "ours": error or round(found[row.unit]),
                "bar": row.bar,
                "peer": row.peer or "none",
                "met": "" if error else ("yes" if found[row.unit] <= row.bar else "NO"),
                "accuracy": "" if error else f"{found['acc']:.4f}",
                "same as the net": "" if error else ("yes" if abs(found["acc"] - reference) < 1e-9 else "NO"),
                "float": f"{np.mean(model.float_classes == model.labels):.4f}",
                "stack": found.get("stack", ""),
                "ram": found.get("ram", ""),
                "bits": "/".join(map(str, row.bits)),
                "code": f"{row.shape}, for {row.minimise}, -{row.optimise}",
                "estimate": source.facts.flash if row.unit == "flash" else source.facts.cycles,
            }
        )
    return rows


def without_multiplier() -> list[dict[str, Any]]:
    """Measure the nets for RV32EC: a small one on 8x8 digits, and large ones with random weights."""
    core = mcu.read_core("rv32ec")
    rows = []
    small, codes, labels = small_digits()
    for name, net, minimise, optimise, level in (
        ("digits 8x8, own net", small, "flash", "Os", codes),
        ("256-64-64-64-10 random", random_large(), "cycles", "O2", None),
        ("256-64-64-64-10 random powers of two", random_large(powers=True), "cycles", "O2", None),
    ):
        source = c.generate(net, core, c.COptions("net", "looped", minimise, scores=False))  # type: ignore[arg-type]
        firmware = sim.build(source, core, optimise)
        emulator = sim.Emulator(firmware)
        given = np.random.default_rng(5).integers(0, 16, (4, len(net.inputs))) if level is None else level
        run = emulator.run(given, counted=4)
        worst = emulator.run(np.full((1, len(net.inputs)), (1 << net.inputs[0].bits) - 1), counted=1)
        same = bool((run.predictions == interpret(net, given).decision).all())
        rows.append(
            {
                "net": name,
                "flash": firmware.sizes.flash,
                "ram": firmware.sizes.ram,
                "stack": run.stack,
                "weights": source.facts.weight_bytes,
                "biases": source.facts.table_bytes,
                "cycles": round(float(run.cycles.mean())),
                "cycles, all inputs largest": int(worst.cycles[0]),
                "accuracy": "" if level is None else f"{np.mean(run.predictions == labels):.4f}",
                "same as the net": "yes" if same else "NO",
                "how": f"{firmware.compiler}; {core.cycles_source}",
            }
        )
    return rows


def small_digits() -> tuple[Net, Any, Any]:
    """Train a 64-12-10 network on scikit-learn's 8x8 digits; return its integer network, and test rows as codes."""
    from sklearn.neural_network import MLPClassifier

    from mlpress.frontend import from_sklearn

    train, test = Dataset.bundled("digits").split(test_size=0.3, seed=0, stratify=True)
    scaled = Dataset(train.features / 16.0, train.labels, train.names, train.classes)
    mlp = MLPClassifier((12,), alpha=1e-3, max_iter=1000, random_state=0).fit(scaled.features, scaled.labels)
    net = quantise(from_sklearn(mlp), scaled, input_bits=3, weight_bits=4, activation_bits=4).net
    return net, encode(net, test.features / 16.0), test.labels


def random_large(powers: bool = False) -> Net:
    """Return a 256-64-64-64-10 network of 4-bit codes and random weights: -7 to 7, or +-1, 2, 4 or 8."""
    rng = np.random.default_rng(7)
    widths = (256, 64, 64, 64, 10)
    layers = []
    for count, inputs in zip(widths[1:], widths[:-1], strict=True):
        last = count == 10
        if powers:
            weights = rng.choice([-1, 1], (count, inputs)) << rng.integers(0, 4, (count, inputs))
        else:
            weights = rng.integers(-7, 8, (count, inputs))
        shift = 7 if inputs == 256 else 6
        activation = Raw() if last else QRelu(shift, 4)
        layers.append(
            Layer(
                tuple(
                    Neuron(
                        int(rng.integers(-50, 50)),
                        tuple(t for k, w in enumerate(row) for t in weight_terms(int(w), k, 4)),
                        activation,
                    )
                    for row in weights
                )
            )
        )
    return Net(tuple(Input(f"x{k}", 4, 16.0, 0.0) for k in range(256)), tuple(layers), Argmax(), tuple(range(10)))


def quantising(folder: Path) -> list[dict[str, Any]]:
    """Measure ``_quantize`` on Cortex-M0+ for the fixed models, and on rules that need a table."""
    rows = []
    for name, bits in (("digits", DIGITS), ("digits", Bits(8, 4, 4)), ("cancer", CANCER)):
        model = trained(folder, name, bits)
        rows.append(quantised(name, model.net, model.features[:8]))
    for width in (1, 2, 4, 6, 8):
        odd = Net(
            tuple(Input(f"x{k}", width, (0.37 + k / 7) * 2.0 ** (width - 4), 0.3 - k / 9) for k in range(8)),
            (Layer((Neuron(0, (), Raw()), Neuron(1, (), Raw()))),),
            Argmax(),
            (0, 1),
        )
        rows.append(quantised("own scale each", odd, np.random.default_rng(0).normal(0, 20, (32, 8))))
    return rows


def quantised(name: str, net: Net, features: Any) -> dict[str, Any]:
    """Return the cycles per input of ``_quantize`` at -O2 with each compiler that is installed."""
    core = mcu.read_core("cortex-m0plus")
    narrow = features.astype(np.float32)
    wanted = encode(net, narrow.astype(np.float64))
    row: dict[str, Any] = {"model": name, "input bits": net.inputs[0].bits, "zig": None, "gcc": None, "same": True}
    for compiler in ("zig", *(["gcc"] if shutil.which(core.gcc[0]) else [])):
        firmware = sim.build(c.generate(net, core, c.COptions("net", "looped")), core, "O2", compiler)  # type: ignore[arg-type]
        codes, cycles = sim.Emulator(firmware).quantize(narrow)
        row[compiler] = round(cycles, 1)
        row["same"] &= bool((codes == wanted).all())
    return row


def fuzz(count: int) -> None:
    """Hold random networks against the interpreter on every engine; the networks are those of the tests."""
    words = [sys.executable, "-m", "support.mcu_nets", str(count)]
    raise SystemExit(subprocess.run(words, cwd=ROOT / "tests", check=False).returncode)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object a row, no table")
    parser.add_argument("--data", type=Path, default=ROOT / "data", help="folder with the fixed models")
    parser.add_argument("--harness", type=Path, help="the harness that measured the peers")
    parser.add_argument("--fuzz", type=int, default=0, metavar="N", help="check N random networks instead")
    options = parser.parse_args()
    if options.fuzz:
        fuzz(options.fuzz)
    if not (options.data / "digits.npz").is_file():
        print(f"no {options.data / 'digits.npz'}; give the folder of the fixed models with --data", file=sys.stderr)
        raise SystemExit(2)
    show("flash in bytes, cycles and instructions of a prediction", table(options.data, options.harness), options.json)
    show("RV32EC without a multiplier", without_multiplier(), options.json)
    show("quantising on Cortex-M0+, cycles per input at -O2", quantising(options.data), options.json)


if __name__ == "__main__":
    main()
