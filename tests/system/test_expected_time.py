"""How long a large network will take is said before anything is planned."""

import numpy as np
import pytest

from mlpress import compiler
from mlpress.errors import MlpressError
from mlpress.ir import Argmax, Input, Layer, Net, Neuron, Raw, Term


class Heard:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def step(self, name: str) -> None:
        self.lines.append(name)
        if name.startswith("plan"):
            raise MlpressError("far enough")

    def note(self, text: str) -> None:
        self.lines.append(text)

    def warn(self, text: str) -> None:
        self.lines.append(text)


def _heard(inputs: int) -> list[str]:
    terms = tuple(Term(source=k, mask=15, shift=0, sign=1) for k in range(inputs))
    net = Net(
        tuple(Input(f"f{k}", 4, 1.0, 0.0) for k in range(inputs)),
        (Layer((Neuron(0, terms, Raw()), Neuron(1, terms, Raw()))),),
        Argmax(),
        ("a", "b"),
    )
    heard = Heard()
    with pytest.raises(MlpressError, match="far enough"):
        compiler.press(net, np.zeros((2, inputs)), np.zeros(2), compiler.Options(), progress=heard)
    return heard.lines


def test_a_large_network_is_told_its_time_first() -> None:
    large = _heard(4000)
    assert len(large) == 2
    assert f"about {compiler.START_S + compiler.TERM_S * 8000:.0f} s of processor time" in large[0]
    assert len(_heard(10)) == 1
