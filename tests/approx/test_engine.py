"""The population engine and the vector form against the reference interpreter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.nets import random_codes, random_net

from mlpress.approx.integer.engine import Engine
from mlpress.approx.integer.genome_layout import Layout
from mlpress.approx.integer.space import Space
from mlpress.approx.passes import PASSES, Inputs
from mlpress.errors import MlpressError
from mlpress.ir import Net, encode, interpret, verify


def raw(net: Net) -> Net:
    return replace(net, inputs=tuple(replace(feature, levels=None) for feature in net.inputs))


def pruned_codes(net: Net, codes: np.ndarray) -> np.ndarray:
    """What the net's own converters make of raw codes."""
    same = replace(net, inputs=tuple(replace(f, scale=1.0, offset=0.0, rounding="floor") for f in net.inputs))
    return encode(same, codes.astype(np.float64))


def searchable(rng: np.random.Generator, **options: object) -> Net:
    net = random_net(rng, head=str(rng.choice(["argmax", "threshold"])), **options)
    return net if max(f.bits for f in net.inputs) <= 5 else raw(net)


@pytest.mark.parametrize("seed", range(40))
def test_vector_round_trip(seed: int) -> None:
    rng = np.random.default_rng(seed)
    net = searchable(rng, neurons=8)
    back = Layout.of(net).unpack(Layout.of(net).pack(net))
    verify(back)
    codes = random_codes(rng, net, 40)
    assert np.array_equal(interpret(back, codes).decision, interpret(net, codes).decision)
    assert np.array_equal(interpret(back, codes).scores, interpret(net, codes).scores)


@pytest.mark.parametrize("seed", range(60))
def test_random_genomes_equal_the_interpreter(seed: int) -> None:
    rng = np.random.default_rng(1000 + seed)
    net = searchable(rng, neurons=7, inputs=8, input_bits=int(rng.integers(1, 8)))
    space = Space.of(net, [kind() for kind in PASSES if kind is not Inputs or rng.random() < 0.5])
    genomes = rng.integers(space.low, space.high + 1, (6, space.size))
    quiet = rng.random((6, space.size)) < rng.choice([0.0, 0.5, 0.95])
    genomes[quiet] = np.broadcast_to(space.start(), genomes.shape)[quiet]
    codes = random_codes(rng, raw(net), 60)
    labels = rng.integers(0, len(net.classes), 60)
    engine = Engine(space.layout, codes, labels, workers=2)
    wrong = engine.wrong(space.vectors(genomes))
    for genome, count in zip(genomes, wrong, strict=True):
        decoded = space.decode(genome)
        decision = interpret(decoded, pruned_codes(decoded, codes)).decision
        assert decision is not None
        assert count == np.count_nonzero(decision != labels)


def test_every_lane_width_is_exercised() -> None:
    rng = np.random.default_rng(5)
    seen = set()
    for seed in range(30):
        net = searchable(np.random.default_rng(seed), neurons=5, inputs=4)
        space = Space.of(net, [kind() for kind in PASSES])
        for spread in (1, 1 << 14, 1 << 40):
            vectors = space.vectors(space.start()[None])
            vectors[:, space.layout.field("bias", 0)] *= spread
            engine = Engine(space.layout, random_codes(rng, raw(net), 4), np.zeros(4, np.int64), workers=1)
            seen |= set(engine.lanes(vectors).tolist())
    assert seen == {16, 32, 64}


def test_bad_data_is_refused() -> None:
    net = random_net(np.random.default_rng(0), head="argmax", levels=False)
    layout = Layout.of(net)
    codes = random_codes(np.random.default_rng(0), net, 3)
    with pytest.raises(MlpressError, match="2 labels for 3 rows; the search needs a label for every row"):
        Engine(layout, codes, np.zeros(2, np.int64))
    with pytest.raises(MlpressError, match=r"labels reach from 0 to 99; they must be class indices"):
        Engine(layout, codes, np.array([0, 0, 99]))
    scores = random_net(np.random.default_rng(0), head="scores", levels=False)
    with pytest.raises(MlpressError, match="scores, not classes; the search needs a classifier"):
        Engine(Layout.of(scores), random_codes(np.random.default_rng(0), scores, 3), np.zeros(3, np.int64))
