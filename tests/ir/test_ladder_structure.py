"""Long ladders are built by their structure, and count exactly the thresholds that every sum reaches."""

from fractions import Fraction
from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpress import codegen, ir
from mlpress.ir import Clamp, Input, Interval, Ladder, Layer, Net, Neuron, Output, Raw, Scores, Sum, weight_terms
from mlpress.ir.ladder import LONG, straight

BITS = 6
WEIGHTS = (19, -7, 31)


def net_of(thresholds: tuple[int, ...], bias: int = 0) -> Net:
    """One neuron with a ladder over three 6-bit inputs; its code is the answer."""
    terms = tuple(term for k, weight in enumerate(WEIGHTS) for term in weight_terms(weight, k, BITS))
    width = len(thresholds).bit_length()
    score = Neuron(0, weight_terms(1, 0, width), Raw())
    layers = (Layer((Neuron(bias, terms, Ladder(thresholds)),)), Layer((score,)))
    net = Net(tuple(Input(f"f{k}", BITS, 1.0, 0.0) for k in range(3)), layers, Scores((1.0,), (0.0,)), ())
    ir.verify(net)
    return net


def total_of(bias: int = 0) -> Interval:
    top = (1 << BITS) - 1
    return Interval(bias + top * sum(min(w, 0) for w in WEIGHTS), bias + top * sum(max(w, 0) for w in WEIGHTS))


def codes_of_every_sum(bias: int = 0) -> np.ndarray:
    """One row of codes for every sum that any row has."""
    values = np.indices((1 << BITS,) * 3).reshape(3, -1).T
    _, first = np.unique(values @ np.array(WEIGHTS), return_index=True)
    return values[first]


def built(net: Net) -> list[ir.Value]:
    return list(ir.lower_net(net).plan.values)


LINES = st.tuples(
    st.integers(LONG, 300),  # thresholds
    st.fractions(Fraction(1, 3), Fraction(40), max_denominator=997),  # sums of a step
    st.fractions(-700, 300, max_denominator=101),  # where it begins
)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(LINES)
def test_a_straight_ladder_equals_its_formula_for_every_sum(line: tuple[int, Fraction, Fraction]) -> None:
    count, step, start = line
    thresholds = tuple(ceil(start + k * step) for k in range(count))
    total = total_of()
    found = straight(thresholds, total)
    if found is None:
        inside = [t for t in thresholds if total.low < t <= total.high]
        assert len(inside) < LONG
        return
    for value in range(total.low, total.high + 1):
        assert found.clamp(value * found.multiplier + found.constant) == sum(value >= t for t in thresholds)


def test_rounding_half_to_even_is_no_line() -> None:
    """Where every second step begins one sum later there is no formula, and none is claimed."""
    thresholds = tuple(4 * k + k % 2 for k in range(1, 200))
    assert straight(thresholds, Interval(-100, 1000)) is None


@settings(derandomize=True, deadline=None, max_examples=12)
@given(
    st.one_of(
        LINES.map(lambda line: tuple(ceil(line[2] + k * line[1]) for k in range(line[0]))),
        st.lists(st.integers(-600, 3300), min_size=1, max_size=80).map(lambda values: tuple(sorted(values))),
    )
)
def test_the_circuit_is_the_reference_interpreter_for_every_sum(thresholds: tuple[int, ...]) -> None:
    net = net_of(thresholds)
    rows = codes_of_every_sum()
    expected = ir.interpret(net, rows).scores[:, 0].tolist()
    assert ir.evaluate(ir.lower_net(net).bits, rows.tolist())["y0"] == expected


@pytest.mark.parametrize(
    "thresholds",
    [
        tuple(ceil(-300.25 + k * 13.71) for k in range(255)),  # a line
        tuple(int(2000 * np.tanh((k - 63.5) / 40)) for k in range(127)),  # a curve
        tuple(4 * k + k % 2 for k in range(1, 200)),  # half to even
        (5,) * 20 + tuple(range(10, 60)),  # a step of twenty
    ],
    ids=["line", "curve", "half to even", "steps"],
)
def test_both_descriptions_agree(thresholds: tuple[int, ...]) -> None:
    lowered = ir.lower_net(net_of(thresholds))
    rows = codes_of_every_sum()[::40]
    expected = ir.interpret(lowered.net, rows).scores[:, 0].tolist()
    assert codegen.simulate(lowered, rows, "modules")["y0"].tolist() == expected
    codegen.audit(codegen.to_verilog(lowered), lowered)


def test_a_line_is_a_multiplication_and_a_clip() -> None:
    values = built(net_of(tuple(ceil(-300.25 + k * 13.71) for k in range(255))))
    (output,) = (value for value in values if isinstance(value, Output))
    scaled = values[output.source]
    assert isinstance(output.activation, Clamp)
    assert isinstance(scaled, Sum)
    assert 1 < len(scaled.operands) < 9


def test_long_ladders_cost_far_less_than_their_comparisons() -> None:
    """255 comparisons of 13 bits were 4,000 NAND gates and more."""
    line = tuple(ceil(-300.25 + k * 13.71) for k in range(255))
    curve = tuple(int(2000 * np.tanh((k - 127.5) / 80)) for k in range(255))
    sums = ir.nand_count(ir.lower_net(net_of((1,))).bits)
    assert ir.nand_count(ir.lower_net(net_of(line)).bits) - sums < 700
    assert ir.nand_count(ir.lower_net(net_of(curve)).bits) - sums < 2500


def test_short_ladders_are_as_they_were() -> None:
    values = built(net_of(tuple(range(0, 15 * 50, 50))))
    assert not [value for value in values if isinstance(value, Sum) and "scaled" in value.name]


@pytest.mark.parametrize("thresholds", [(7,) * 40, (7,) * 20 + (8,) * 20])
def test_a_jump_is_no_line(thresholds: tuple[int, ...]) -> None:
    assert straight(thresholds, Interval(-50, 50)) is None
    lowered = ir.lower_net(net_of(thresholds))
    rows = codes_of_every_sum()[::40]
    expected = ir.interpret(lowered.net, rows).scores[:, 0].tolist()
    assert codegen.simulate(lowered, rows, "modules")["y0"].tolist() == expected
