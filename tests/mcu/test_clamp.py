"""A long straight ladder is a multiplication and a clip of the plan: in C too, for every sum, on host and cores."""

from math import ceil

import numpy as np
import pytest

from mlpress import ir
from mlpress.codegen import c
from mlpress.hw import mcu
from mlpress.ir import Argmax, Clamp, Input, Ladder, Layer, Net, Neuron, Output, Raw, weight_terms
from mlpress.sim import mcu as sim

BITS, WEIGHTS = 6, (3, -7, 19)
LINES = {
    "both ends": (0, [ceil(-300.25 + k * 13.71) for k in range(120)]),
    "all sums inside": (0, [ceil(-900 + k * 20.3) for k in range(200)]),
    "base above 0": (40, [ceil(-2900 + k * 21.9) for k in range(255)]),
    "sums beyond 16 bits": (1 << 20, [(1 << 20) + ceil(-300.25 + k * 13.71) for k in range(255)]),
}


def net_of(bias: int, thresholds: list[int]) -> Net:
    """A ladder's code against three constants: the class tells where the code is."""
    terms = tuple(term for k, weight in enumerate(WEIGHTS) for term in weight_terms(weight, k, BITS))
    width = len(thresholds).bit_length()
    scores = [Neuron(bias_, weight_terms(slope, 0, width), Raw()) for slope, bias_ in enumerate((0, -7, -67, -177))]
    layers = (Layer((Neuron(bias, terms, Ladder(tuple(thresholds))),)), Layer(tuple(scores)))
    return Net(tuple(Input(f"f{k}", BITS, 1.0, 0.0) for k in range(3)), layers, Argmax(), tuple(range(4)))


@pytest.fixture(scope="module")
def made() -> list[tuple[Net, c.CSource]]:
    core = mcu.read_core("rv32ec")
    nets = [net_of(bias, thresholds) for bias, thresholds in LINES.values()]
    return [(net, c.generate(net, core, c.COptions(f"n{k}", "unrolled"))) for k, net in enumerate(nets)]  # fmt: skip


def codes_of_every_sum() -> np.ndarray:
    values = np.indices((1 << BITS,) * 3).reshape(3, -1).T
    _, first = np.unique(values @ np.array(WEIGHTS), return_index=True)
    return values[first]


def test_the_plans_have_clamps(made: list[tuple[Net, c.CSource]]) -> None:
    found = []
    for net, _ in made:
        (output,) = (one for one in ir.lower_net(net).plan.values if isinstance(one, Output))
        assert isinstance(output.activation, Clamp)
        found.append(output.activation)
    assert [one.base > 0 for one in found] == [False, True, True, False]


def test_every_sum_on_the_host(made: list[tuple[Net, c.CSource]]) -> None:
    codes = codes_of_every_sum()
    with sim.HostProgram([source for _, source in made]) as program:
        for k, (net, _) in enumerate(made):
            wanted = ir.interpret(net, codes)
            _, classes, scores = program.run(k, codes)
            np.testing.assert_array_equal(classes, wanted.decision)
            np.testing.assert_array_equal(scores, wanted.scores)
            assert len(np.unique(wanted.scores[:, 1])) > 50


@pytest.mark.parametrize("name", ["cortex-m0plus", "rv32ec"])
def test_sums_on_cores(made: list[tuple[Net, c.CSource]], name: str) -> None:
    core = mcu.read_core(name)
    sources = [c.generate(net, core, c.COptions(f"n{k}", "unrolled")) for k, (net, _) in enumerate(made)]
    firmware = sim.build(sources, core)  # links no library: sums of 64 bits make no product either
    codes = codes_of_every_sum()[::23]
    for source, (net, _) in zip(sources, made, strict=True):
        found = sim.Emulator(firmware, source.name).run(codes, counted=0)
        np.testing.assert_array_equal(found.predictions, ir.interpret(net, codes).decision)
