"""Unary inputs: one bit per level, in every form of a circuit, and rows that cannot occur."""

from __future__ import annotations

from itertools import product

import numpy as np
import onnxruntime
import pytest
from support.nets import random_net

from mlpress import ir
from mlpress.codegen import c, onnx_circuit, to_verilog
from mlpress.codegen.verilog.front_end import comparators, front_end
from mlpress.errors import MlpressError
from mlpress.hw.mcu import read_core
from mlpress.verify import Proven, Refuted, prove_equal

LEVELS = (1, 4, 6)
INPUTS = (
    ir.Input("a", 2, 1.5, 0.5, interface="unary"),
    ir.Input("b", 3, -2.0, 9.0, "even", LEVELS, "unary"),
    ir.Input("c", 2, 1.0, 0.0),
)


def mixed() -> ir.Circuit:
    """Class 1 where a >= 2 and b >= 4, or c is 3."""
    builder = ir.CircuitBuilder(INPUTS)
    a, b, c = (builder.input(k) for k in range(3))
    return builder.circuit([(builder.either(builder.both(a[1], b[1]), builder.both(c[0], c[1])),)], (0, 1))


def every_row() -> np.ndarray:
    return np.array(list(product(range(4), (0, *LEVELS), range(4))), np.int64)


def test_a_mixed_circuit_means_what_it_says() -> None:
    circuit, codes = mixed(), every_row()
    ir.verify(circuit)
    assert circuit.input_bits == 3 + 3 + 2
    ports = ["x0_ge1", "x0_ge2", "x0_ge3", "x1_ge1", "x1_ge4", "x1_ge6", "x2"]
    assert [name for name, _ in ir.input_ports(INPUTS)] == ports
    wanted = ((codes[:, 0] >= 2) & (codes[:, 1] >= 4)) | (codes[:, 2] == 3)
    assert np.array_equal(ir.interpret_circuit(circuit, codes).decision, wanted)
    session = onnxruntime.InferenceSession(onnx_circuit(circuit, "codes").SerializeToString())
    assert np.array_equal(session.run(["decision"], {"codes": codes})[0], wanted)
    assert ir.from_text(ir.to_text(circuit)) == circuit
    assert ir.from_aiger(ir.to_aiger(circuit)).inputs == INPUTS
    assert "levels(1,4,6) unary" in ir.to_text(circuit)


@pytest.mark.parametrize("seed", range(12))
def test_a_net_behind_comparators_decides_as_before(seed: int) -> None:
    rng = np.random.default_rng(seed)
    net = random_net(rng)
    codes = np.stack([rng.choice([0, *feature.reached], 400) for feature in net.inputs], axis=1)
    plain = ir.bit_blast(net)
    circuit = ir.unary(plain)
    ir.verify(circuit)
    assert all(feature.interface == "unary" for feature in circuit.inputs)
    assert np.array_equal(ir.interpret_circuit(circuit, codes).words, ir.interpret_circuit(plain, codes).words)
    assert ir.unary(circuit) == circuit
    left = ir.without_unread(circuit)
    ir.verify(left)
    features = rng.uniform(-20, 20, (200, len(net.inputs)))
    both = [ir.interpret_circuit(each, ir.encode(each, features)).words for each in (circuit, left)]
    assert np.array_equal(*both)


def test_levels_that_nothing_reads_go_and_one_port_stays() -> None:
    left = ir.without_unread(mixed())
    assert [feature.levels for feature in left.inputs] == [(2,), (4,), None]
    builder = ir.CircuitBuilder(INPUTS[:2])
    constant = ir.without_unread(builder.circuit([(1,)], (0, 1)))
    ir.verify(constant)
    assert constant.input_bits == 1


def test_the_builder_knows_that_a_higher_level_implies_a_lower_one() -> None:
    builder = ir.CircuitBuilder(INPUTS)
    low, high = builder.input(1)[:2]
    assert builder.both(low, high) == high and builder.both(high, low ^ 1) == 0
    assert builder.both(low ^ 1, high ^ 1) == low ^ 1
    assert len(builder) == 0
    assert builder.both(low, high ^ 1) > 1 and len(builder) == 1
    other = builder.input(0)[0]
    builder.both(low, other)
    assert len(builder) == 2


def test_rows_that_cannot_occur_do_not_count_in_proofs() -> None:
    ands = np.array([[2, 4]], np.int32)  # level 1 and level 2 of one input: in real rows level 2 alone
    inputs = (ir.Input("a", 2, 1.0, 0.0, interface="unary"),)
    both, alone = ir.Circuit(inputs, ands, ((8,),), (0, 1)), ir.Circuit(inputs, ands[:0], ((4,),), (0, 1))
    assert isinstance(prove_equal(both, alone, implied=ir.implied(inputs)), Proven)
    wrong = ir.Circuit(inputs, ands[:0], ((6,),), (0, 1))
    found = prove_equal(both, wrong, implied=ir.implied(inputs))
    assert isinstance(found, Refuted)
    row = found.inputs[0]
    assert (row["x0_ge1"], row["x0_ge2"], row["x0_ge3"]) == (1, 1, 0)
    texts = to_verilog(both), to_verilog(alone)
    assert isinstance(prove_equal(*texts), Refuted)
    assert isinstance(prove_equal(*texts, implied=ir.implied(inputs)), Proven)
    assert isinstance(prove_equal(both, texts[1]), Proven)


def test_networks_read_whole_codes() -> None:
    net = random_net(np.random.default_rng(0))
    unary = ir.Net(ir.unary_inputs(net.inputs), net.layers, net.head, net.classes)
    with pytest.raises(MlpressError, match="input 0: its interface is unary"):
        ir.verify(unary)
    wide = (ir.Input("a", 9, 1.0, 0.0, interface="unary"),)
    with pytest.raises(MlpressError, match=r"511 levels of a unary input; there must be 0 to 255"):
        ir.verify(ir.Circuit(wide, np.zeros((0, 2), np.int32), ((0,),), (0, 1)))


@pytest.mark.parametrize("feature", INPUTS[:2])
def test_comparators_answer_as_the_code_says(feature: ir.Input) -> None:
    """On both sides of every threshold, and right on it."""
    circuit = ir.Circuit((feature,), np.zeros((0, 2), np.int32), ((2,),), (0, 1))
    found = list(comparators((feature,)))
    assert [each.port for each in found] == [name for name, _ in ir.input_ports((feature,))]
    for each in found:
        for value in (each.threshold, np.nextafter(each.threshold, -99), np.nextafter(each.threshold, 99), 0.0, 5.0):
            place = value * feature.scale + feature.offset
            says = place > each.reach if each.strict else place >= each.reach
            code = ir.encode(circuit, np.array([[value]]))
            assert ir.port_columns((feature,), code)[each.port][0] == says
        far = each.threshold + (1 if each.above else -1)
        assert ir.port_columns((feature,), ir.encode(circuit, np.array([[far]])))[each.port][0] == 1
        assert 0 < each.share < 1
    assert f"{found[0].port} = x0_place" in front_end(circuit)


def test_too_many_levels_are_refused_before_they_are_built() -> None:
    with pytest.raises(MlpressError, match="input 'a' has 511 levels, a unary one at most 255: take fewer input bits"):
        ir.unary_inputs((ir.Input("a", 9, 1.0, 0.0),))
    assert ir.unary_inputs((ir.Input("a", 9, 1.0, 0.0, levels=(7, 300)),))[0].width == 2


def test_c_reads_codes() -> None:
    with pytest.raises(MlpressError, match="this circuit reads comparators, and C reads codes"):
        c.generate(mixed(), read_core("cortex-m0plus"))


@pytest.mark.parametrize("seed", range(8))
def test_sums_of_levels_are_the_network(seed: int) -> None:
    """In every row that can occur; the smaller of both ways is taken."""
    rng = np.random.default_rng(100 + seed)
    net = random_net(rng, layers=2, neurons=4, inputs=3, input_bits=3)
    codes = np.stack([rng.choice([0, *feature.reached], 300) for feature in net.inputs], axis=1)
    levels = ir.by_levels(net)
    wanted = ir.interpret(net, codes)
    if levels.inputs:
        ir.verify(levels)
        bits = ir.input_bits(ir.unary_inputs(net.inputs), codes).T.astype(np.int64)
        found = ir.interpret(levels, bits)
        assert all(np.array_equal(a, b) for a, b in zip(found.sums, wanted.sums, strict=True))
    circuit = ir.unary_circuit(net)
    ir.verify(circuit)
    words = ir.interpret_circuit(circuit, codes).words
    assert np.array_equal(words, wanted.scores if wanted.decision is None else wanted.decision[:, None])
    encoded = ir.unary(ir.bit_blast(net))
    assert len(circuit.ands) <= len(encoded.ands)
    assert isinstance(prove_equal(circuit, encoded), Proven)


def test_a_sum_of_levels_needs_no_code() -> None:
    terms = (ir.Term(0, 1, 0, 3), ir.Term(1, 1, 0, 3))
    last = ir.Layer((ir.Neuron(-5, terms, ir.Raw()),))
    net = ir.Net((ir.Input("a", 2, 1.0, 0.0), ir.Input("b", 2, 1.0, 0.0)), (last,), ir.Threshold(0), (0, 1))
    assert len(ir.unary_circuit(net).ands) <= len(ir.unary(ir.bit_blast(net)).ands)
    term = ir.Neuron(-2, (ir.Term(0, 1, 0, 3),), ir.Raw())
    alone = ir.Net(net.inputs[:1], (ir.Layer((term,)),), ir.Threshold(0), (0, 1))
    assert ir.unary_circuit(alone).outputs == ((4,),)  # code 2 or more is one comparator
