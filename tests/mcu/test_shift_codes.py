"""Weights that are powers of two, as shift codes on a core without a multiplier: the same function, smaller, faster."""

from itertools import pairwise

import numpy as np
import pytest
from support.mcu_nets import Case, check_emulated, check_host
from support.nets import random_codes, random_features

from mlpress.codegen import c
from mlpress.codegen.c.matrix import matrices
from mlpress.codegen.c.packing import packed
from mlpress.codegen.c.shifted import shift_codes
from mlpress.hw import mcu
from mlpress.ir import Argmax, Input, Ladder, Layer, Net, Neuron, QRelu, Raw, Scores, encode, interpret, weight_terms
from mlpress.sim import mcu as sim

CORE = mcu.read_core("rv32ec")


def powers(
    rng: np.random.Generator, widths: tuple[int, ...], bits: int, reach: int, signs: tuple[int, ...], low: int = 0
) -> Net:
    """A dense net whose weights are ``signs`` times 2**low to 2**(low + reach); a sign 0 makes some of them 0."""
    layers = list[Layer]()
    for number, (inputs, count) in enumerate(pairwise(widths)):
        last = number == len(widths) - 2
        weights = rng.choice(signs, (count, inputs)) << (low + rng.integers(0, reach + 1, (count, inputs)))
        weights[0, :2] = signs[-1] << low, signs[-1] << (low + reach)
        steps = tuple(sorted(int(t) for t in rng.integers(-40, 90 << low, 3)))
        activation = Raw() if last else QRelu(low + 3, bits) if number == 0 else Ladder(steps)
        before = bits if number < 2 else 2
        layers.append(
            Layer(
                tuple(
                    Neuron(
                        int(rng.integers(-30, 30)),
                        tuple(t for k, w in enumerate(row) for t in weight_terms(int(w), k, before)),
                        activation,
                    )
                    for row in weights
                )
            )
        )
    features = tuple(Input(f"x{k}", bits, 2.0**bits, 0.0) for k in range(widths[0]))
    if rng.random() < 0.3:
        return Net(features, tuple(layers), Scores((1.0,) * widths[-1], (0.0,) * widths[-1]), ())
    return Net(features, tuple(layers), Argmax(), tuple(range(widths[-1])))


def cases(count: int, rows: int) -> list[Case]:
    """Random nets that take shift codes, for both goals, with and without skipped zeros."""
    made = []
    for index in range(count):
        rng = np.random.default_rng((11, index))
        signs = ((-1, 1), (1,), (-1, 0, 1), (-1,))[index % 4]
        depth = int(rng.integers(1, 4))
        widths = (int(rng.integers(3, 40)), *(int(n) for n in rng.integers(2, 20, depth)))
        bits, reach, low = int(rng.integers(1, 6)), int(rng.integers(0, 6)), int(rng.integers(0, 3))
        net = powers(rng, widths, bits, reach, signs, low)
        goal, skip = ("cycles", "flash")[index // 4 % 2], bool(index // 8 % 2)
        options = c.COptions(f"n{index}", "looped", goal, skip, accumulators=int(rng.choice([0, 1, 3, 6, 8])))  # type: ignore[arg-type]
        codes = random_codes(rng, net, rows)
        codes[0] = (1 << bits) - 1
        features = random_features(rng, net, rows).astype(np.float32)
        trace = interpret(net, codes)
        wanted = encode(net, features.astype(np.float64))
        source = c.generate(net, CORE, options)
        made.append(Case(source, features, wanted, codes, trace.decision, trace.scores))
    return made


def test_the_emulated_core_and_the_host_give_the_interpreters_values() -> None:
    made = cases(16, 8)
    told = [layer for one in made for layer in one.source.facts.layers]
    assert sum(layer == "shifted, 4-bit codes of powers of two" for layer in told) >= 5
    assert sum(layer == "shifted, 5-bit codes of powers of two" for layer in told) >= 5
    check_emulated(made, CORE)
    check_host(made)


@pytest.mark.parametrize("goal", ["cycles", "flash"])
def test_codes_take_half_a_byte_per_weight_and_less_of_both_than_distances(goal: str) -> None:
    rng = np.random.default_rng(3)
    net = powers(rng, (64, 16, 8), 4, 3, (-1, 1))
    odd = powers(rng, (64, 16, 8), 4, 3, (-1, 1))
    first = odd.layers[0].neurons[0]
    three = Neuron(first.bias, (*weight_terms(3, 0, 4), *first.terms[1:]), first.activation)
    odd = Net(
        odd.inputs,
        (Layer((three, *odd.layers[0].neurons[1:])), odd.layers[1]),
        Argmax(),
        odd.classes or tuple(range(8)),
    )
    found = []
    for one in (Net(net.inputs, net.layers, Argmax(), tuple(range(8))), odd):
        source = c.generate(one, CORE, c.COptions("net", "looped", goal, scores=False))  # type: ignore[arg-type]
        firmware = sim.build(source, CORE, "O2" if goal == "cycles" else "Os", "zig")
        codes = np.random.default_rng(5).integers(0, 16, (4, 64))
        run = sim.Emulator(firmware).run(codes, counted=4)
        np.testing.assert_array_equal(run.predictions, interpret(one, codes).decision)
        assert 0.5 < source.facts.cycles / run.cycles.mean() < 2
        found.append((source.facts, firmware.sizes.flash, run.cycles.mean()))
    (codes_, flash, cycles), (distances, more_flash, more_cycles) = found
    assert codes_.layers == ("shifted, 4-bit codes of powers of two",) * 2
    assert distances.layers[0].startswith("bitwise, 5-bit weights")
    assert codes_.weight_bytes == (64 * 16 + 16 * 8) // 2 < distances.weight_bytes
    assert (flash < more_flash) if goal == "flash" else (cycles < more_cycles)
    assert cycles < 1.05 * more_cycles


def test_a_multiplier_needs_no_shift_codes() -> None:
    net = powers(np.random.default_rng(4), (20, 8, 4), 4, 3, (-1, 1))
    source = c.generate(net, mcu.read_core("cortex-m0plus"), c.COptions("net", "looped"))
    assert all(layer.startswith("multiplied") for layer in source.facts.layers)


def one_neuron(count: int, bits: int, weight: int, other: int) -> Net:
    """Two neurons of ``count`` equal weights, and of ``other`` ones."""
    features = tuple(Input(f"x{k}", bits, 1.0, 0.0) for k in range(count))
    rows = [Neuron(0, tuple(t for k in range(count) for t in weight_terms(w, k, bits)), Raw()) for w in (weight, other)]
    return Net(features, (Layer(tuple(rows)),), Argmax(), (0, 1))


@pytest.mark.parametrize("sign", [1, -1])
def test_a_half_that_would_overflow_takes_no_shift_codes(sign: int) -> None:
    (fits,) = matrices(one_neuron(257, 8, sign, -sign))  # 257 * 255 is 65535
    (beyond,) = matrices(one_neuron(258, 8, sign, -sign))
    assert fits is not None and beyond is not None
    assert shift_codes(fits) is not None
    assert shift_codes(beyond) is None
    assert packed(beyond, 4, "shifted") is None
    net = one_neuron(257, 8, sign, -sign)
    source = c.generate(net, CORE, c.COptions("net", "looped"))
    assert source.facts.layers[0].startswith("shifted")
    codes = np.array([np.full(257, 255), np.zeros(257), np.arange(257) % 256], np.int64)
    features = codes.astype(np.float32)
    trace = interpret(net, codes)
    one = Case(source, features, codes, codes, trace.decision, trace.scores)
    check_emulated([one], CORE)
    check_host([one])


@pytest.mark.parametrize(("bits", "other", "coded"), [(11, 0, True), (12, 0, False), (12, -1, True)])
def test_a_weight_of_0_needs_an_input_that_leaves_the_register(bits: int, other: int, coded: bool) -> None:
    features = tuple(Input(f"x{k}", bits, 1.0, 0.0) for k in range(2))
    neurons = tuple(
        Neuron(0, tuple(t for k, w in enumerate(row) for t in weight_terms(w, k, bits)), Raw())
        for row in ((other, 16), (1, -1))
    )
    (matrix,) = matrices(Net(features, (Layer(neurons),), Argmax(), (0, 1)))
    assert matrix is not None
    assert (shift_codes(matrix) is not None) == coded
