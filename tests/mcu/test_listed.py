"""Lists of inputs: the same function in every corner of the shape, prices near what is measured, and the choice."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from mlpress.approx import Layout
from mlpress.codegen import c
from mlpress.hw import mcu
from mlpress.ir import Argmax, Input, Layer, Net, Neuron, QRelu, Raw, Term, interpret, weight_terms
from mlpress.sim import mcu as sim
from mlpress.targets import Microcontroller

M0 = mcu.read_core("cortex-m0plus")


def sparse(sizes: tuple[int, ...], top: int, share: float, seed: int = 0) -> Net:
    """A net of 4-bit codes whose weights are whole numbers up to ``top``, a ``share`` of them not left out."""
    rng, layers = np.random.default_rng(seed), list[Layer]()
    for before, count in pairwise(sizes):
        weights = rng.integers(-top, top + 1, (count, before)) * (rng.random((count, before)) < share)
        activation = QRelu(3, 4) if len(layers) < len(sizes) - 2 else Raw()
        neurons = []
        for row in weights.tolist():
            terms = tuple(term for source, w in enumerate(row) for term in weight_terms(w, source, 4))
            neurons.append(Neuron(int(rng.integers(-20, 20)), terms, activation))
        layers.append(Layer(tuple(neurons)))
    return Net(
        tuple(Input(f"x{k}", 4, 16.0, 0.0) for k in range(sizes[0])), tuple(layers), Argmax(), (*range(sizes[-1]),)
    )


@pytest.mark.parametrize("minimise", ["flash", "cycles"])
def test_lists_of_every_length_and_index(minimise: str) -> None:
    nets = [sparse((inputs, 6, 3), 2, 1.0, inputs) for inputs in (1, 2, 3, 4, 5, 255, 256, 300)]
    nets += [sparse((9, 300, 3), 1, 0.5), sparse((20, 5, 4), 9, 0.0), sparse((20, 7, 5), 300, 0.8)]
    made = [c.generate(net, M0, c.COptions(f"n{k}", "listed", minimise)) for k, net in enumerate(nets)]  # type: ignore[arg-type]
    rng = np.random.default_rng(1)
    rows = [rng.integers(0, 16, (4, len(net.inputs))) for net in nets]
    wanted = [interpret(net, codes) for net, codes in zip(nets, rows, strict=True)]
    assert all(any(layer.startswith("listed") for layer in one.facts.layers) for one in made)
    firmware = sim.build(made, M0, "Os", "zig")
    with sim.HostProgram(made) as program:
        for k, (codes, trace) in enumerate(zip(rows, wanted, strict=True)):
            _, classes, scores = program.run(k, codes)
            np.testing.assert_array_equal(classes, trace.decision)
            np.testing.assert_array_equal(scores, trace.scores)
            np.testing.assert_array_equal(sim.Emulator(firmware, f"n{k}").run(codes, counted=1).scores, trace.scores)


def test_long_rows_have_indices_of_16_bits_and_an_avr_sums_of_16() -> None:
    text = c.generate(sparse((300, 4, 3), 1, 0.5), M0, c.COptions("net", "listed")).files["net.c"]
    assert "static const uint16_t net_l0_w0[" in text
    assert "static const uint8_t net_l1_w0[" in text
    avr = c.generate(sparse((30, 4, 3), 1, 0.5), mcu.read_core("atmega328p"), c.COptions("net", "listed"))
    assert "uint16_t sum = 0u;" in avr.files["net.c"]
    assert "uint32_t sum" not in avr.files["net.c"]


def test_an_avr_object_compiles(tmp_path: Path) -> None:
    core = mcu.read_core("atmega328p")
    made = [c.generate(sparse((30, 8, 4), 3, 0.5), core, c.COptions(f"n{m}", "listed", m)) for m in ("flash", "cycles")]  # type: ignore[arg-type]
    sim.compile_object(made, core, "Os", "zig", tmp_path / "all.o")
    assert (tmp_path / "all.o").stat().st_size > 500


def test_masked_terms_are_not_listed() -> None:
    net = sparse((12, 4, 3), 1, 0.7)
    odd = Neuron(1, (Term(0, 1, 0, 0b0110),), net.layers[0].neurons[0].activation)
    layers = (Layer((odd, *net.layers[0].neurons[1:])), net.layers[1])
    masked = Net(net.inputs, layers, net.head, net.classes)
    assert c.generate(masked, M0, c.COptions("net", "listed")).facts.layers == ("unrolled", "listed, 1 powers of two")


@pytest.mark.parametrize(
    ("core", "goal"), [("cortex-m0plus", "flash"), ("cortex-m0plus", "cycles"), ("rv32ec", "flash")]
)
def test_prices_are_near_what_is_measured(core: str, goal: str) -> None:
    machine = mcu.read_core(core)
    nets = [sparse((64, 16, 10), 1, 0.5), sparse((40, 12, 5), 3, 0.4)]
    made = [c.generate(net, machine, c.COptions(f"n{k}", "listed", goal)) for k, net in enumerate(nets)]  # type: ignore[arg-type]
    for k, (net, source) in enumerate(zip(nets, made, strict=True)):
        firmware = sim.build(source, machine, "Os" if goal == "flash" else "O2", "zig")
        run = sim.Emulator(firmware, f"n{k}").run(
            np.random.default_rng(2).integers(0, 16, (2, len(net.inputs))), counted=2
        )
        layout = Layout.of(net)
        model = Microcontroller(core, "listed", goal).cost_model(layout)
        searched = dict(zip(model.metrics, model.values(layout.pack(net)[None])[0], strict=True))
        for metric, real in (("flash", firmware.sizes.flash), ("cycles", run.cycles.mean())):
            assert 0.75 < getattr(source.facts, metric) / real < 1.33, (metric, getattr(source.facts, metric), real)
            assert 0.7 < searched[metric] / real < 1.4, (metric, searched[metric], real)
        assert firmware.sizes.ram == 0


def test_sparse_nets_are_listed_and_dense_ones_are_not() -> None:
    options = c.COptions("net", minimise="flash", most_cycles=5000)
    assert c.generate(sparse((64, 16, 10), 1, 0.3), M0, options).shape == "listed"
    assert c.generate(sparse((64, 16, 10), 7, 1.0), M0, options).shape != "listed"
