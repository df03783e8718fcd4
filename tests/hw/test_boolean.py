import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpress.errors import MlpressError
from mlpress.hw.printed.cells.boolean import evaluate, parse, signals, truth_table


@pytest.mark.parametrize(
    ("text", "function"),
    [
        ("A*B", lambda a, b, c: a & b),
        ("A B", lambda a, b, c: a & b),
        ("A&B", lambda a, b, c: a & b),
        ("A+B", lambda a, b, c: a | b),
        ("A|B", lambda a, b, c: a | b),
        ("A^B", lambda a, b, c: a ^ b),
        ("!A", lambda a, b, c: 1 - a),
        ("A'", lambda a, b, c: 1 - a),
        ("A''", lambda a, b, c: a),
        ("(!A) + (!B)", lambda a, b, c: 1 - (a & b)),
        ("A + B * C", lambda a, b, c: a | (b & c)),
        ("A * B ^ C", lambda a, b, c: a & (b ^ c)),
        ("!A !B C", lambda a, b, c: (1 - a) & (1 - b) & c),
        ("!(A*B)' C", lambda a, b, c: a & b & c),
        ("(A+B)'", lambda a, b, c: 1 - (a | b)),
        ("A * 1 + 0", lambda a, b, c: a),
    ],
)
def test_liberty_functions(text: str, function) -> None:
    table = truth_table(parse(text), ["A", "B", "C"])
    for row, (c, b, a) in enumerate(itertools.product((0, 1), repeat=3)):
        assert table >> row & 1 == function(a, b, c), (text, a, b, c)


def test_signals_in_reading_order() -> None:
    assert signals(parse("!B * (A + B) ^ C")) == ("B", "A", "C")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it ends early"),
        ("A +", "it ends early"),
        ("(A", r"a '\)' is missing"),
        ("A)", r"'\)' is not expected"),
        ("A + * B", r"'\*' is not expected"),
        ("A ? B", r"has '\?'"),
        ("(" * 100 + "A" + ")" * 100, "nests over 64 deep"),
        ("+".join(["A"] * 500), "over 256 names and operators"),
    ],
)
def test_what_is_no_function_is_refused(text: str, message: str) -> None:
    with pytest.raises(MlpressError, match=message) as caught:
        parse(text)
    assert "\n" not in str(caught.value)


@settings(derandomize=True, max_examples=300)
@given(st.text("AB01!'*&+|^() ", max_size=30))
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        expression = parse(text)
    except MlpressError:
        return
    names = signals(expression)
    assert evaluate(expression, dict.fromkeys(names, 0b01), 0b11) in range(4)
