from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mlpress.errors import MlpressError
from mlpress.ir import Argmax, BitRange, Input, Ladder, Layer, Net, Neuron, QRelu, Raw, Scores, Term, Threshold, verify

GOOD = Net(
    inputs=(Input("a", 4, 1.0, 0.0), Input("b", 2, 1.0, 0.0, levels=(1, 3))),
    layers=(
        Layer((Neuron(-6, (Term(0, 1, 2, 15), Term(1, -1, 0, 2)), QRelu(2, 4)), Neuron(1, (), Ladder((0, 3, 3))))),
        Layer((Neuron(9, (Term(0, -1, 1, 15),), Raw()), Neuron(0, (Term(1, 1, 0, 3),), Raw()), Neuron(0, (), Raw()))),
    ),
    head=Argmax(),
    classes=("x", "y", 3),
)


def _input(**changes: Any) -> Net:
    return replace(GOOD, inputs=(GOOD.inputs[0], replace(GOOD.inputs[1], **changes)))


def _neuron(**changes: Any) -> Net:
    first = GOOD.layers[0].neurons
    return replace(GOOD, layers=(Layer((replace(first[0], **changes), first[1])), GOOD.layers[1]))


def _term(**changes: Any) -> Net:
    terms = GOOD.layers[0].neurons[0].terms
    return _neuron(terms=(terms[0], replace(terms[1], **changes)))


def _last(**changes: Any) -> Net:
    last = GOOD.layers[1].neurons
    return replace(GOOD, layers=(GOOD.layers[0], Layer((last[0], last[1], replace(last[2], **changes)))))


BROKEN: list[tuple[Net, str]] = [
    (replace(GOOD, inputs=()), "inputs: 0 inputs; there must be 1 to 16384"),
    (_input(name="a"), "input 1: the name 'a' is that of input 0 too; names must differ"),
    (_input(name=""), "input 1: the name '' must be text of 1 to 256 characters"),
    (_input(name="x" * 257), "input 1: the name .* must be text of 1 to 256 characters"),
    (_input(name=7), "input 1: the name '7' must be text"),
    (_input(name="a\nb"), r"input 1: the name 'a\\nb' holds a control character; rename it"),
    (_input(name="\ud800"), r"input 1: the name '\\ud800' holds a control character"),
    (_input(bits=0), "input 1: bits is 0; it must be within 1..16"),
    (_input(bits=17), "input 1: bits is 17; it must be within 1..16"),
    (_input(bits=np.int64(4)), r"input 1: bits is np.int64\(4\); it must be an int"),
    (_input(bits=True), "input 1: bits is True; it must be an int"),
    (_input(scale=float("nan")), "input 1: scale is nan; it must be a finite float"),
    (_input(scale=1), "input 1: scale is 1; it must be a finite float"),
    (_input(offset=float("inf")), "input 1: offset is inf; it must be a finite float"),
    (_input(rounding="up"), "input 1: rounding is 'up'; it must be 'floor' or 'even'"),
    (_input(levels=(0, 1)), "input 1: a kept level is 0; it must be within 1..3"),
    (_input(levels=(4,)), "input 1: a kept level is 4; it must be within 1..3"),
    (_input(levels=(2, 2)), "input 1: kept level 2 follows 2; levels must increase"),
    (replace(GOOD, layers=()), "layers: 0 layers; there must be 1 to 64"),
    (replace(GOOD, layers=GOOD.layers[:1] * 64 + GOOD.layers[1:]), "layers: 65 layers; there must be 1 to 64"),
    (replace(GOOD, layers=(Layer(()), GOOD.layers[1])), "layer 0: 0 neurons; there must be 1 to 16384"),
    (_neuron(terms=(Term(0, 1, 0, 1),) * (2**22 - 1)), "layers: 4194305 terms; there must be 0 to 4194304"),
    (_neuron(bias=1 << 62), f"layer 0, neuron 0: the bias and the terms reach {(1 << 62) + 62} in magnitude"),
    (_neuron(bias=1.0), "layer 0, neuron 0: bias is 1.0; it must be an int"),
    (_neuron(bias=1 << 63), "layer 0, neuron 0: bias is 9223372036854775808; it must be within"),
    (_term(source=2), "layer 0, neuron 0, term 1: source is 2; it must be within 0..1"),
    (_term(source=-1), "layer 0, neuron 0, term 1: source is -1; it must be within 0..1"),
    (_term(sign=0), "layer 0, neuron 0, term 1: sign is 0; it must be -1 or 1"),
    (_term(sign=True), "layer 0, neuron 0, term 1: sign is True; it must be -1 or 1"),
    (_term(shift=64), "layer 0, neuron 0, term 1: shift is 64; it must be within 0..63"),
    (_term(shift=-1), "layer 0, neuron 0, term 1: shift is -1; it must be within 0..63"),
    (_term(shift=62), r"layer 0, neuron 0: the bias and the terms reach \d+ in magnitude; .* below 2\*\*62"),
    (_term(mask=0), "layer 0, neuron 0, term 1: mask over the 2-bit source is 0; it must be within 1..3"),
    (_term(mask=4), "layer 0, neuron 0, term 1: mask over the 2-bit source is 4; it must be within 1..3"),
    (_last(terms=(Term(1, 1, 0, 4),)), "layer 1, neuron 2, term 0: mask over the 2-bit source is 4"),
    (_last(terms=(Term(2, 1, 0, 1),)), "layer 1, neuron 2, term 0: source is 2; it must be within 0..1"),
    (_neuron(activation=Raw()), "layer 0, neuron 0: the activation is Raw; only the last layer may be Raw"),
    (_last(activation=QRelu(0, 1)), "layer 1, neuron 2: the activation is QRelu; the last layer must be Raw"),
    (_neuron(activation=QRelu(64, 4)), "layer 0, neuron 0: the activation's shift is 64; it must be within 0..63"),
    (_neuron(activation=QRelu(0, 25)), "layer 0, neuron 0: the activation's bits is 25; it must be within 1..24"),
    (_neuron(activation=QRelu(0, 0)), "layer 0, neuron 0: the activation's bits is 0; it must be within 1..24"),
    (_neuron(activation=Ladder(())), "layer 0, neuron 0: 0 thresholds; there must be 1 to 65535"),
    (_neuron(activation=Ladder((0,) * 65536)), "layer 0, neuron 0: 65536 thresholds; there must be 1 to 65535"),
    (_neuron(activation=Ladder((3, 2))), "layer 0, neuron 0: threshold 2 follows 3; thresholds must not decrease"),
    (
        _neuron(activation=Ladder((1 << 63,))),
        "layer 0, neuron 0: a threshold is 9223372036854775808; it must be within",
    ),
    (replace(GOOD, head=Threshold(0)), "head: 3 scores under a threshold; there must be 1"),
    (replace(GOOD, head=Argmax((BitRange(),))), "head: 1 bit range; 3 scores need 2 comparisons, or none stated"),
    (replace(GOOD, head=Argmax((BitRange(), BitRange(64)))), "head, comparison 1: low is 64; it must be within 0..63"),
    (replace(GOOD, head=Argmax((BitRange(3, 3),) * 2)), "head, comparison 0: high is 3; it must be within 4..64"),
    (replace(GOOD, head=Argmax((BitRange(3, 65),) * 2)), "head, comparison 0: high is 65; it must be within 4..64"),
    (replace(GOOD, head=Scores((1.0,), (1.0,))), "head: 3 scores, 1 scale and 1 offset; the three must agree"),
    (replace(GOOD, head=Scores((1.0,) * 3, (0.0, 0.0, float("nan")))), "head: a scale or offset is nan"),
    (replace(GOOD, head=Scores((1.0,) * 3, (0.0,) * 3)), "classes: 3 classes are named, and the head tells 0 apart"),
    (replace(GOOD, classes=("x", "y")), "classes: 2 classes are named, and the head tells 3 apart; the two must agree"),
    (replace(GOOD, classes=("x", "y", "x")), "class 2: the name 'x' is that of class 0 too; names must differ"),
    (replace(GOOD, classes=("x", "y", True)), "class 2: its number is True; it must be an int"),
    (replace(GOOD, classes=("x", "y", 1 << 63)), "class 2: its number is 9223372036854775808; it must be within"),
    (replace(GOOD, classes=("x", "y", "\x7f")), "class 2: the name .* holds a control character"),
]


def test_good_net_passes() -> None:
    verify(GOOD)
    verify(_input(levels=()))
    verify(_neuron(activation=QRelu(63, 24)))
    verify(_term(shift=59))
    verify(replace(GOOD, head=Argmax((BitRange(63, 64), BitRange(5)))))
    verify(replace(GOOD, head=Scores((1.0,) * 3, (0.0,) * 3), classes=()))


@pytest.mark.parametrize(("net", "message"), BROKEN, ids=range(len(BROKEN)))
def test_broken_rule_is_named_with_its_place(net: Net, message: str) -> None:
    with pytest.raises(MlpressError, match=f"^{message}") as error:
        verify(net)
    assert "\n" not in str(error.value)


def test_one_score_is_no_argmax() -> None:
    one = replace(GOOD, layers=(GOOD.layers[0], Layer(GOOD.layers[1].neurons[:1])), classes=("x",))
    with pytest.raises(MlpressError, match="head: 1 scores under an argmax; there must be 2 to 16384"):
        verify(one)
    verify(replace(one, head=Threshold(5), classes=("x", "y")))
    with pytest.raises(MlpressError, match="head: the threshold is 9223372036854775808; it must be within"):
        verify(replace(one, head=Threshold(1 << 63), classes=("x", "y")))


def test_thresholds_and_levels_are_bounded_over_the_net() -> None:
    many = Layer((Neuron(0, (), Ladder((0,) * 65535)),) * 17)
    with pytest.raises(MlpressError, match="layers: 1114095 thresholds; there must be 0 to 1048576"):
        verify(replace(GOOD, layers=(many, GOOD.layers[1])))
    wide = tuple(Input(f"f{k}", 16, 1.0, 0.0, levels=tuple(range(1, 65536))) for k in range(17))
    with pytest.raises(MlpressError, match="inputs: 1114095 kept levels; there must be 0 to 1048576"):
        verify(replace(GOOD, inputs=wide))
