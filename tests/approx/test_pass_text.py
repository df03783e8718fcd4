"""Passes as text."""

import pytest

from mlpress import MlpressError
from mlpress.approx import PASSES, Accumulate, Activation, ApproximatePass, ArgmaxRanges, Inputs, Multiply, read_pass


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("multiply", Multiply()),
        ("multiply:terms=2,shifts=5", Multiply(terms=2, shifts=5)),
        (" multiply : terms = 0 , shifts = none ", Multiply(terms=0)),
        ("accumulate:columns=3,rounding=1,compensate=no", Accumulate(3, 1, compensate=False)),
        ("activation:levels=3", Activation(levels=3)),
        ("argmax:low=2,high=9", ArgmaxRanges(2, 9)),
        ("inputs:bits=3,drop=sepal length,drop=x", Inputs(bits=3, drop=("sepal length", "x"))),
    ],
)
def test_what_text_names(text: str, made: ApproximatePass) -> None:
    assert read_pass(text) == made


def test_every_pass_has_a_name_of_its_own() -> None:
    assert [type(read_pass(kind.name)) for kind in PASSES] == list(PASSES)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("divide", "there is no pass 'divide'; the passes are multiply, accumulate, activation, argmax, inputs"),
        ("", "there is no pass ''; the passes are multiply, accumulate, activation, argmax, inputs"),
        ("multiply:bits=2", "multiply has no option 'bits'; its options are terms, shifts"),
        ("multiply:name=add", "multiply has no option 'name'; its options are terms, shifts"),
        ("multiply:2", "multiply: '2' is no option; write option=value, commas between them"),
        ("multiply:terms=two", "multiply: terms is 'two'; it must be a whole number"),
        ("multiply:terms=none", "multiply: terms is 'none'; it must be a whole number"),
        ("activation:bits=many", "activation: bits is 'many'; it must be a whole number or none"),
        ("accumulate:compensate=2", "accumulate: compensate is '2'; it must be yes or no"),
        ("multiply:terms=1,terms=2", "multiply: terms is given twice; give it once"),
        ("multiply:terms=-1", "multiply: terms is -1; it must be 0 or more"),
    ],
)
def test_bad_text_is_one_line(text: str, says: str) -> None:
    with pytest.raises(MlpressError) as raised:
        read_pass(text)
    assert str(raised.value) == says
