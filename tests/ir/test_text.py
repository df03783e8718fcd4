import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.models import random_model
from support.nets import random_net

from mlpress.errors import MlpressError
from mlpress.ir import Argmax, Input, Layer, Net, Neuron, Raw, Term, from_text, to_text

DOCS = Path(__file__).parents[2] / "docs" / "ir.md"

NET = """mlpress net 1
input "a" bits 4 scale 1.0 offset 0.0 round floor levels(1,5)
layer 1
neuron qrelu(0,4) 1 +x0&0xf<<2
layer 2
neuron raw() 0 -x0&0xf<<0
neuron raw() -7
head argmax 0:3
classes "x" 1
"""
MODEL = """mlpress model 1
input "a" scale 1.0 offset 0.0
clip 0.0 1.0
quantiser 0.5 0 0 3
layer 1 linear
neuron 0.5 1.0
integers 0.5 2
integerbias 0.5 1
head threshold 0.0
classes 0 1
"""


@pytest.mark.parametrize("seed", range(100))
def test_net_round_trip(seed: int) -> None:
    net = random_net(np.random.default_rng(seed))
    assert from_text(to_text(net)) == net


@pytest.mark.parametrize("seed", range(100))
def test_model_round_trip(seed: int) -> None:
    model = random_model(np.random.default_rng(seed))
    assert from_text(to_text(model)) == model


NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@settings(derandomize=True, deadline=None)
@given(st.lists(NAMES, min_size=2, max_size=4, unique=True), FLOATS, FLOATS)
def test_any_name_and_any_float_come_back(names: list[str], scale: float, offset: float) -> None:
    neurons = tuple(Neuron(0, (), Raw()) for _ in names)
    inputs = tuple(Input(name, 3, scale, offset, "even") for name in names)
    net = Net(inputs, (Layer(neurons),), Argmax(), tuple(names))
    back = from_text(to_text(net))
    assert back == net
    assert isinstance(back, Net)
    assert str(back.inputs[0].scale) == str(scale)  # also tells 0.0 from -0.0


@pytest.mark.parametrize("text", [NET, MODEL])
def test_layout_and_comments_mean_nothing(text: str) -> None:
    loose = "# a note\n\n" + text.replace("\n", " \r\n\n  # more\n\t").replace(" scale", "\t  scale")
    assert from_text(loose) == from_text(text)
    assert to_text(from_text(loose)) == text


def test_examples_of_the_specification_are_in_canonical_form() -> None:
    examples = re.findall(r"```text\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) >= 2
    for example in examples:
        assert to_text(from_text(example)) == example


def _swap(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, old
    return text.replace(old, new)


BROKEN = [
    ("", "line 1: the text ends where a line 'mlpress ...' should be"),
    ("hello", "line 1: 'hello' stands where mlpress should be"),
    (_swap(NET, "net 1", "net"), "line 1: the line ends where the format's version should be"),
    (_swap(NET, "net 1", "net 2"), "line 1: format version 2 is not known; this mlpress reads version 1"),
    (_swap(NET, "net 1", "net 1 x"), "line 1: 'x' stands where the line should end"),
    (_swap(NET, "net 1", "nut 1"), "line 1: 'nut' stands where net or model"),
    (_swap(NET, '"a"', "a"), "line 2: 'a' stands where the input's name should be, in double quotes"),
    (_swap(NET, '"a"', '"a'), "line 2: a quoted name does not end; close it with a double quote"),
    (_swap(NET, '"a"', r'"\q"'), r"line 2: '\"\\\\q\"' is not a valid quoted name; escape it as JSON does"),
    (_swap(NET, '"a"', '"' + "a" * 4000 + '"'), "line 2: the input's name is longer than 256 characters"),
    (_swap(NET, "bits 4", "bits four"), "line 2: 'four' stands where the number of bits should be, an integer"),
    (_swap(NET, "bits 4", "bits 1_0"), "line 2: '1_0' stands where the number of bits should be, an integer"),
    (_swap(NET, "bits 4", "bits ٤"), "line 2: '٤' stands where the number of bits should be, an integer"),
    (_swap(NET, "bits 4", "bits " + "9" * 5000), "line 2: '9+' stands where the number of bits should be"),
    (_swap(NET, "scale 1.0", "scale nan"), "line 2: 'nan' stands where the scale should be, a finite decimal number"),
    (_swap(NET, "scale 1.0", "scale 1e999"), "line 2: '1e999' stands where the scale should be, a finite"),
    (_swap(NET, "floor", "up"), "line 2: 'up' stands where floor or even should be"),
    (_swap(NET, "levels(", "steps("), r"line 2: 'steps' stands where levels\(...\) should be"),
    (_swap(NET, "levels(1,5)", "levels(1,,5)"), "line 2: '' stands where a number of levels should be, an integer"),
    (_swap(NET, "levels(1,5)", "levels(1,5"), r"line 2: 'levels\(1,5' stands where levels\(...\) should be"),
    (_swap(NET, "layer 1", "layer 0"), "line 3: the number of neurons is 0; it must be within 1..16384"),
    (_swap(NET, "layer 1", "layer 99999"), "line 3: the number of neurons is 99999; it must be within 1..16384"),
    (_swap(NET, "layer 1", "layer 3"), "line 5: 'layer' stands where neuron should be"),
    (_swap(NET, "qrelu(0,4)", "qrelu(0)"), "line 4: 'qrelu' with 1 numbers is no activation; qrelu has 2"),
    (_swap(NET, "qrelu(0,4)", "ladder()"), "line 4: 'ladder' with 0 numbers is no activation"),
    (_swap(NET, "qrelu(0,4)", "qrelu"), r"line 4: 'qrelu' stands where qrelu\(...\), ladder\(...\) or raw\(\) should"),
    (_swap(NET, "+x0&0xf<<2", "x0&0xf<<2"), r"line 4: 'x0&0xf<<2' stands where a term like \+x0&0xf<<2 should be"),
    (_swap(NET, "+x0&0xf<<2", "+x0&0x1f<<2"), "layer 0, neuron 0, term 0: mask over the 4-bit source is 31"),
    (_swap(NET, "0:3", "3"), "line 8: '3' stands where a bit range like 2:7 or 2: should be"),
    (_swap(NET, "argmax 0:3", "max"), "line 8: 'max' stands where argmax or threshold or scores should be"),
    (_swap(NET, 'classes "x" 1', 'classes "x" y'), "line 9: 'y' stands where a class should be, an integer"),
    (_swap(NET, 'classes "x" 1', ""), "line 9: the text ends where a line 'classes ...' should be"),
    (NET + "more\n", "line 10: 'more' stands where the text should end"),
    (NET + "x" * (2**23 + 1), "line 10: it has 8388609 characters; a line has at most 8388608"),
    (_swap(MODEL, "neuron 0.5 1.0", "neuron 0.5"), "line 6: the line ends where the bias or a weight should be"),
    (_swap(MODEL, "neuron 0.5 1.0", "neuron 0.5 1.0 2.0"), "line 6: '2.0' stands where the line should end"),
    (_swap(MODEL, "linear", "softmax"), "line 5: 'softmax' stands where linear or relu or sigmoid or tanh or clip"),
    (_swap(MODEL, "linear", "clip 1.0"), "line 5: the line ends where the high end should be"),
    (_swap(MODEL, "integers 0.5 2", "integers 0.5 9" + "0" * 18), "line 7: a weight is 9000000000000000000, too large"),
    (
        _swap(MODEL, "integers 0.5 2", "integers 0.5 3"),
        "layer 0: the real weight is not its integers times their scale",
    ),
    (_swap(MODEL, "layer 1 linear", "layer 16384 linear"), "line 7: 'integers' stands where neuron should be"),
    (
        _swap(MODEL, "quantiser 0.5 0 0 3", "quantiser 0.5 0 0"),
        "line 4: the line ends where the highest code should be",
    ),
]


@pytest.mark.parametrize(("text", "message"), BROKEN, ids=range(len(BROKEN)))
def test_error_names_the_line(text: str, message: str) -> None:
    with pytest.raises(MlpressError, match=f"^{message}") as error:
        from_text(text)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400


def test_counts_are_bounded_before_they_are_built() -> None:
    inputs = "".join(f'input "{k}" bits 1 scale 1.0 offset 0.0 round floor\n' for k in range(16385))
    with pytest.raises(MlpressError, match="line 16386: there are more than 16384 inputs"):
        from_text("mlpress net 1\n" + inputs)
    layers = 'mlpress net 1\ninput "a" bits 1 scale 1.0 offset 0.0 round floor\n' + "layer 1\nneuron raw() 0\n" * 65
    with pytest.raises(MlpressError, match="line 131: there are more than 64 layers"):
        from_text(layers)
    wide = 'mlpress model 1\ninput "a" scale 1.0 offset 0.0\nlayer 16384 relu\n' + "neuron 0.0 0.0\n" * 16384
    with pytest.raises(MlpressError, match="line 16388: the model has more than 8388608 weights"):
        from_text(wide + "layer 16384 relu\n")


PIECES = [
    "",
    " ",
    "\n",
    '"',
    "\\",
    "(",
    ")",
    ",",
    "-",
    "-1",
    "0",
    "#",
    "\x00",
    "\u2028",
    "\ud800",
    "0x",
    "nan",
    "1e400",
]
WORDS = ["9" * 50, "+x0&0x1<<0", "levels()", "layer 1", "neuron raw() 0", "head argmax", "classes"]
SPLICES = st.sampled_from(PIECES + WORDS)


@settings(derandomize=True, max_examples=600, deadline=None)
@given(
    st.integers(0, 30),
    st.booleans(),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), SPLICES), min_size=1, max_size=4),
)
def test_a_damaged_text_gives_an_error_or_a_program(
    seed: int, real: bool, damage: list[tuple[float, int, str]]
) -> None:
    rng = np.random.default_rng(seed)
    text = to_text(random_model(rng) if real else random_net(rng, neurons=3, inputs=3))
    for place, length, splice in damage:
        at = int(place * len(text))
        text = text[:at] + splice + text[at + length :]
    _read(text)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.text(max_size=80))
def test_any_text_gives_an_error_or_a_program(text: str) -> None:
    _read(text)
    _read("mlpress net 1\n" + text)
    _read(NET[: NET.index("layer 2")] + text)
    _read(MODEL[: MODEL.index("layer 1")] + text)


def _read(text: str) -> None:
    try:
        program = from_text(text)
    except MlpressError as error:
        assert "\n" not in str(error)
    else:
        assert from_text(to_text(program)) == program


def test_a_term_is_written_as_the_specification_says() -> None:
    net = Net(
        (Input("a b", 4, 0.1, -0.0), Input("é", 1, 2.0, 0.5, "even", ())),
        (Layer((Neuron(-1, (Term(0, 1, 3, 10), Term(1, -1, 0, 1)), Raw()), Neuron(0, (), Raw()))),),
        Argmax(),
        ('say "hi"', -4),
    )
    assert to_text(net).splitlines() == [
        "mlpress net 1",
        'input "a b" bits 4 scale 0.1 offset -0.0 round floor',
        'input "é" bits 1 scale 2.0 offset 0.5 round even levels()',
        "layer 2",
        "neuron raw() -1 +x0&0xa<<3 -x1&0x1<<0",
        "neuron raw() 0",
        "head argmax",
        r'classes "say \"hi\"" -4',
    ]
