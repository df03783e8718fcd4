"""What a net takes as a program is counted as the net without what it does not need shows it."""

from __future__ import annotations

import numpy as np
import pytest
from support import egfet
from support.nets import random_codes, random_net

from mlpress.approx import ALL_PARTS, CostModel, Layout, Space, dense
from mlpress.errors import MlpressError
from mlpress.ir import Input, Net, input_intervals, interpret, intervals, verify
from mlpress.targets.trim import trimmed


def net_of(seed: int) -> Net:
    rng = np.random.default_rng(seed)
    return random_net(rng, neurons=5, inputs=4, input_bits=3, levels=False, layers=1 + seed % 3, head="argmax")


def counts(net: Net) -> dict[str, int]:
    layout = Layout.of(net)
    model = CostModel.of(layout, [{"cost": dict.fromkeys(ALL_PARTS, 1.0)}], {"cost": 1.0})
    return dict(zip(ALL_PARTS, model.parts(layout.pack(net)[None])[0].tolist(), strict=True))


@pytest.mark.parametrize("seed", range(30))
def test_a_trimmed_net_is_the_same_function(seed: int) -> None:
    net = net_of(seed)
    small = trimmed(net)
    verify(small)
    codes = random_codes(np.random.default_rng(seed), net, 200)
    assert np.array_equal(interpret(net, codes).scores, interpret(small, codes).scores)
    assert trimmed(small) is small


@pytest.mark.parametrize("seed", range(30))
def test_terms_and_outputs_are_those_of_the_trimmed_net(seed: int) -> None:
    rng = np.random.default_rng(seed)
    inputs = tuple(Input(f"x{k}", 3, 1.0, 0.0) for k in range(4))
    space = Space.of(dense(inputs, (5, 4)[: 1 + seed % 2], (0, 1, 2), 3))
    genome = rng.integers(space.low, space.high + 1)
    genome[rng.random(space.size) < 0.4] = 0
    net = space.decode(space.clip(genome))
    small, found = trimmed(net), counts(net)
    idle = [k for k, below in enumerate(small.layers[1:], 1) if not any(n.terms for n in below.neurons)]
    layers = small.layers[max(idle, default=0) :]  # what is before a layer that reads nothing is read by nobody
    assert found["term"] == sum(len(neuron.terms) for layer in layers for neuron in layer.neurons)
    assert found["output"] == sum(len(layer.neurons) for layer in layers)
    masked, ranges = 0, input_intervals(small)
    for layer, known in zip(small.layers, intervals(small), strict=True):
        for neuron in layer.neurons if layer in layers else ():
            masked += sum(
                term.mask & full(ranges[term.source].high) != full(ranges[term.source].high) for term in neuron.terms
            )
        ranges = known.outputs
    assert found["masked"] == masked
    assert found["odd"] >= masked


def full(high: int) -> int:
    """All bits of a value up to ``high``."""
    return (1 << high.bit_length()) - 1


def test_a_limit_in_proportion_bounds_the_cost_and_another_makes_it_dearer() -> None:
    layout = Layout.of(net_of(1))
    vectors = layout.pack(net_of(1))[None]
    ways = [{"a": {"term": 1.0, "net": 5.0}, "b": {"term": 2.0, "net": 10.0}, "c": {"output": 1.0}}]
    model = CostModel.of(layout, ways, {"a": 1.0, "b": 1.0, "c": 1.0})
    (cost,), (values,) = model.cost(vectors), model.values(vectors)
    assert cost == values[0] == values[1] / 2
    limited, most = model.limited({"b": 6.0, "unknown": 1.0}, 1.5)
    assert most == 4.5
    assert limited.cost(vectors)[0] == cost
    limited, most = model.limited({"c": values[2] / 2})
    assert most == np.inf
    assert limited.cost(vectors)[0] == pytest.approx(4 * cost)
    assert model.ranked("c").cost(vectors)[0] == values[2]
    with pytest.raises(MlpressError, match="cannot be searched for by stack; its cost model knows a, b, c"):
        model.ranked("stack")
    with pytest.raises(MlpressError, match="a net has no part 'terms'; there are full, majority"):
        CostModel.of(layout, [{"a": {"terms": 1.0}}], {"a": 1.0})


def test_of_two_ways_the_cheaper_counts() -> None:
    layout = Layout.of(net_of(2))
    vectors = layout.pack(net_of(2))[None]
    one, two = {"a": {"net": 7.0}, "b": {"net": 1.0}}, {"a": {"net": 6.0}, "b": {"net": 3.0}}
    model = CostModel.of(layout, [one, two], {"a": 1.0, "b": 1.0})
    assert model.values(vectors).tolist() == [[6.0, 3.0]]
    assert model.limited({"b": 1.5})[0].values(vectors).tolist() == [[7.0, 1.0]]


def test_printed_power_is_in_proportion_to_area() -> None:
    model = egfet.cost_model(Layout.of(net_of(0)))
    area, power = model.limited({"area": 2.0})[1], model.limited({"power": 2.0})[1]
    assert area == 2.0
    assert power == pytest.approx(2.0 / float(model.floors[1] / model.floors[0]))
