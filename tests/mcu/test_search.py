"""Searches for microcontrollers: by flash or cycles, within limits of any metric, and what is chosen was measured."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import spearmanr
from support.told import classifier, data

import mlpress as mp
from mlpress.approx import Layout
from mlpress.codegen import c
from mlpress.hw import mcu
from mlpress.ir import Argmax, Input, Layer, Net, Neuron, QRelu, Raw, Term
from mlpress.targets import Microcontroller
from mlpress.targets.trim import trimmed

CORE = mcu.read_core("cortex-m0plus")


def net_of(rng: np.random.Generator) -> Net:
    """A matrix of powers of two per layer, as sparse as may be, and hidden codes that use their range."""
    sizes = [int(size) for size in rng.integers([4, 2, 2], [24, 10, 8])]
    inputs = tuple(Input(f"x{k}", 4, 1.0, 0.0) for k in range(sizes[0]))
    share, layers = rng.uniform(0.1, 1.0), list[Layer]()
    for before, count in pairwise(sizes):
        weights = rng.choice([-1, 1], (count, before)) << rng.integers(0, 3, (count, before))
        kept = rng.random((count, before)) < share
        activation = QRelu(max(int(kept.sum(axis=1).max()).bit_length() - 1, 0), 4) if not layers else Raw()
        neurons = []
        for row, here in zip(weights.tolist(), kept.tolist(), strict=True):
            terms = [Term(i, 1 if w > 0 else -1, abs(w).bit_length() - 1, 15) for i, w in enumerate(row) if here[i]]
            neurons.append(Neuron(int(rng.integers(-20, 20)), tuple(terms), activation))
        layers.append(Layer(tuple(neurons)))
    return Net(inputs, tuple(layers), Argmax(), tuple(range(sizes[2])))


@pytest.mark.parametrize("metric", ["flash", "cycles"])
def test_the_cost_model_ranks_as_the_generator_does(metric: str) -> None:
    rng, found, generated = np.random.default_rng(0), list[float](), list[float]()
    for _ in range(25):
        net = net_of(rng)
        layout = Layout.of(net)
        model = Microcontroller(goal=metric, shape="unrolled").cost_model(layout)
        assert model.metrics[0] == metric
        found.append(model.cost(layout.pack(net)[None])[0])
        options = c.COptions(shape="unrolled", minimise=metric, scores=False)  # type: ignore[arg-type]
        generated.append(getattr(c.generate(trimmed(net), CORE, options).facts, metric))
    assert spearmanr(found, generated).statistic > 0.9


def test_a_search_minimises_what_it_is_told_within_limits() -> None:
    options = {"target": "cortex-m0plus", "generations": 1, "max_loss": 0.2, "minimise": "cycles"}
    found = mp.search(classifier(), data(), most={"flash_b": 600.0}, **options)  # type: ignore[arg-type]
    assert [metric.name for metric in found.front.metrics] == ["cycles", "flash", "stack", "ram"]
    assert found.limits.most == {"flash": 600.0}
    design = found.chosen()
    assert design.facts["options"]["goal"] == "cycles"
    assert design.cost["flash"] <= 600
    best = found.front.smallest(max_loss=0.2, most={"flash": 600.0})
    assert best.measured is not None
    assert design.cost["flash"] == best.measured["flash"]
    assert {"flash", "cycles"} <= {*best.model}
    assert all(result.verdict == "equal" for result in mp.verify(design, rows=50))
    with pytest.raises(mp.MlpressError, match=r"^no design is within 1 B; allow more, or search longer$"):
        found.smallest(most={"flash": 1.0})


def test_what_only_a_build_tells_cannot_be_minimised() -> None:
    with pytest.raises(mp.MlpressError, match=r"cannot be searched for by stack; its cost model knows flash, cycles$"):
        mp.search(classifier(), data(), target="cortex-m0plus", generations=1, minimise="stack")
