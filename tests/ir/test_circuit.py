from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.circuits import random_circuit
from support.nets import random_codes, random_net

from mlpress.errors import MlpressError
from mlpress.ir import (
    FALSE,
    TRUE,
    Circuit,
    CircuitBuilder,
    Input,
    Scores,
    bit_blast,
    encode,
    from_text,
    index_bits,
    interpret,
    interpret_circuit,
    to_text,
    verify,
)

INPUTS = (Input("a", 2, 1.0, 0.0), Input("b", 1, 1.0, 0.0, levels=()))
GOOD = Circuit(INPUTS, np.array([[2, 5], [7, 8]], np.int32), ((10, 3),), ("x", "y", 3))
REAL = replace(GOOD, outputs=((10, 3), (0,)), classes=(), scores=Scores((1.0, 2.0), (0.0, 0.5)))


@pytest.mark.parametrize("seed", range(60))
def test_a_lowered_net_is_the_net(seed: int) -> None:
    rng = np.random.default_rng(seed)
    net = random_net(rng)
    codes = random_codes(rng, net, 50)
    circuit = bit_blast(net)
    verify(circuit)
    wanted, found = interpret(net, codes), interpret_circuit(circuit, codes)
    if wanted.decision is None:
        assert found.decision is None
        assert np.array_equal(found.words, wanted.scores)
        assert circuit.scores == net.head
    else:
        assert found.decision is not None
        assert np.array_equal(found.decision, wanted.decision)
        assert np.array_equal(found.words[:, 0], wanted.decision)
    assert circuit.inputs == net.inputs
    assert circuit.classes == net.classes


OPERATIONS = st.lists(
    st.tuples(st.sampled_from(["both", "either", "differ", "choose", "majority"]), *[st.integers(0, 1 << 20)] * 3),
    min_size=1,
    max_size=25,
)


@settings(derandomize=True, deadline=None)
@given(OPERATIONS)
def test_the_builder_folds_without_changing_a_function(operations: list[tuple[str, int, int, int]]) -> None:
    builder = CircuitBuilder((Input("a", 3, 1.0, 0.0), Input("b", 1, 1.0, 0.0)))
    codes = np.array([[a, b] for a in range(8) for b in range(2)])
    columns = [codes[:, 0] & 1, codes[:, 0] >> 1 & 1, codes[:, 0] >> 2, codes[:, 1]]
    made = [(FALSE, 0 * columns[0]), (TRUE, 0 * columns[0] + 1)]
    made += list(zip(builder.input(0) + builder.input(1), columns, strict=True))
    for name, *picks in operations:
        (a, x), (b, y), (c, z) = (
            (literal ^ pick & 1, value ^ pick & 1)
            for pick in picks
            for literal, value in [made[(pick >> 1) % len(made)]]
        )
        match name:
            case "choose":
                made.append((builder.choose(a, b, c), np.where(x, y, z)))
            case "majority":
                made.append((builder.majority(a, b, c), (x + y + z >= 2).astype(int)))
            case _:
                value = {"both": x & y, "either": x | y, "differ": x ^ y}[name]
                made.append((getattr(builder, name)(a, b), value))
    for literal, value in made:
        circuit = builder.circuit([(literal,)], (0, 1))
        assert len(circuit.ands) <= len(builder)
        verify(circuit)
        assert np.array_equal(interpret_circuit(circuit, codes).words[:, 0], value)


def test_equal_gates_are_one_and_unused_gates_go() -> None:
    builder = CircuitBuilder(INPUTS)
    (a, b), (c,) = builder.input(0), builder.input(1)
    gate = builder.both(a, b ^ 1)
    assert builder.both(b ^ 1, a) == gate
    assert builder.both(gate, a) == gate
    assert builder.both(gate, b) == FALSE
    assert builder.both(gate ^ 1, b) == b
    assert builder.both(gate ^ 1, a) == builder.both(a, b)
    builder.differ(gate, c)
    assert len(builder) > 2
    circuit = builder.circuit([(gate ^ 1, TRUE)], (0, 1, 2, 3))
    assert circuit.ands.tolist() == [[2, 5]]
    assert circuit.outputs == ((9, 1),)
    assert circuit.depth() == 1


def test_codes_come_from_features_as_for_a_net() -> None:
    features = np.array([[2.7, 5.0], [-1.0, 0.0]])
    assert encode(GOOD, features).tolist() == [[2, 0], [0, 0]]
    assert interpret_circuit(GOOD, encode(GOOD, features)).words.tolist() == [[2], [2]]
    with pytest.raises(MlpressError, match=r"row 0, input 'b': code 1 is not one that its 1-bit converter gives"):
        interpret_circuit(GOOD, np.array([[0, 1]]))


def test_scores_are_in_twos_complement() -> None:
    trace = interpret_circuit(REAL, np.array([[1, 0], [2, 0]]))
    assert trace.words.tolist() == [[1, 0], [-2, 0]]
    assert trace.decision is None
    assert REAL.ports == ("y0", "y1")
    assert GOOD.ports == ("y",)


@pytest.mark.parametrize("classes, bits", [(2, 1), (3, 2), (4, 2), (5, 3), (10, 4), (16, 4), (17, 5)])
def test_width_of_the_class_index(classes: int, bits: int) -> None:
    assert index_bits(classes) == bits


def _ands(*rows: tuple[int, int]) -> Circuit:
    return replace(GOOD, ands=np.array(rows, np.int32))


def _with(value: Any, **changes: Any) -> Circuit:
    return replace(value, **changes)


BROKEN: list[tuple[Circuit, str]] = [
    (_with(GOOD, inputs=()), "inputs: 0 inputs; there must be 1 to 16384"),
    (_with(GOOD, inputs=(INPUTS[0], replace(INPUTS[1], bits=0))), "input 1: bits is 0; it must be within 1..16"),
    (_with(GOOD, ands=GOOD.ands.astype(np.int64)), r"ands: the gates must be an int32 array \(gates, 2\)"),
    (_with(GOOD, ands=[[2, 5]]), r"ands: the gates must be an int32 array \(gates, 2\)"),
    (_ands((2, 8), (7, 8)), r"and 0: it reads literals 2 and 8; both must be within 0\.\.7, made before it"),
    (_ands((2, 5), (7, -1)), r"and 1: it reads literals 7 and -1; both must be within 0\.\.9, made before it"),
    (_with(GOOD, ands=np.zeros(((1 << 20) + 1, 2), np.int32)), "ands: 1048577 gates; there must be 0 to 1048576"),
    (_with(GOOD, outputs=()), "outputs: 0 words of a circuit that decides; there must be 1 to 1"),
    (_with(GOOD, outputs=((2, 3), (4,))), "outputs: 2 words of a circuit that decides; there must be 1 to 1"),
    (_with(GOOD, outputs=((12, 3),)), r"output 0, bit 0: literal is 12; it must be within 0\.\.11"),
    (_with(GOOD, outputs=((10, np.int32(3)),)), r"output 0, bit 1: literal is np.int32\(3\); it must be an int"),
    (_with(GOOD, outputs=((10, 3, 0),)), "output 0: 3 bits; the index of 3 classes has 2"),
    (_with(GOOD, classes=("x",)), "classes: 1 classes under a circuit that decides; there must be 2 to 16384"),
    (_with(GOOD, classes=("x", "x", "y")), "class 1: the name 'x' is that of class 0 too; names must differ"),
    (_with(REAL, classes=("x", "y")), "classes: 2 classes are named, and the head tells 0 apart"),
    (_with(REAL, scores=Scores((1.0,), (0.0, 0.5))), "scores: 2 words, 1 scales and 2 offsets; the three must agree"),
    (_with(REAL, scores=Scores((1.0, float("inf")), (0.0, 0.5))), "scores: a scale or offset is inf"),
    (_with(REAL, outputs=((10, 3), ())), "output 1: 0 bits; there must be 1 to 64"),
]


@pytest.mark.parametrize("circuit, error", BROKEN, ids=range(len(BROKEN)))
def test_every_rule_is_enforced(circuit: Circuit, error: str) -> None:
    with pytest.raises(MlpressError, match=f"^{error}"):
        verify(circuit)


@pytest.mark.parametrize("good", [GOOD, REAL])
def test_good_circuits_pass(good: Circuit) -> None:
    verify(good)


@pytest.mark.parametrize("seed", range(40))
def test_text_round_trip(seed: int) -> None:
    circuit = random_circuit(np.random.default_rng(seed))
    assert from_text(to_text(circuit)) == circuit


TEXT = to_text(REAL)
DAMAGED = [
    (("ands 2", "ands -1"), r"line 4: the number of gates is -1; it must be within 0\.\.1048576"),
    (("ands 2", "ands 1048577"), "line 4: the number of gates is 1048577"),
    (("ands 2", "ands 3"), "line 7: 'output' stands where and should be"),
    (("and 2 5", "and 2"), "line 5: the line ends where a literal should be"),
    (("and 2 5", "and 2 -5"), r"line 5: a literal is -5; it must be within 0\.\.2147483647"),
    (("and 2 5", "and 2 4294967298"), "line 5: a literal is 4294967298"),
    (("and 2 5", "and 2 x"), "line 5: 'x' stands where a literal should be, an integer"),
    (("and 2 5", "and 2 5 7"), "line 5: '7' stands where the line should end"),
    (("output 10 3", "output" + " 0" * 65), "line 7: there are more than 64 bits"),
    (("scores 1.0 0.0 2.0 0.5", "scores 1.0 0.0 2.0"), "line 9: the line ends where an offset should be"),
    (("classes", "classes 1"), "classes: 1 class is named, and the head tells 0 apart"),
]


@pytest.mark.parametrize("change, error", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_text_names_the_line(change: tuple[str, str], error: str) -> None:
    assert change[0] in TEXT
    with pytest.raises(MlpressError, match=f"^{error}"):
        from_text(TEXT.replace(*change))
