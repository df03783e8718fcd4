"""How long a large network will take is said before anything is planned."""

import numpy as np
import pytest

from mlpress.errors import MlpressError
from mlpress.ir import Argmax, Input, Layer, Net, Neuron, Raw, Term
from mlpress.pipeline.compile import Options, build_design
from mlpress.targets import printed


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
        build_design(net, np.zeros((2, inputs)), np.zeros(2), Options.of(), progress=heard)
    return heard.lines


def test_a_large_network_is_told_its_time_first() -> None:
    large = _heard(4000)
    assert len(large) == 2
    assert f"about {printed.START_S + printed.TERM_S * 8000**printed.GROWTH:.0f} s of processor time" in large[0]
    assert len(_heard(10)) == 1
