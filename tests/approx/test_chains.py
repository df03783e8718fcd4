"""Annealing chains: what they say of the nets that they find is so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support import egfet
from support.nets import random_codes, random_net

from mlpress.approx.integer.annealer import Annealer
from mlpress.approx.integer.engine import Engine
from mlpress.approx.integer.space import Space
from mlpress.approx.passes import PASSES, Inputs


@pytest.mark.parametrize("seed", range(60))
def test_wrong_rows_and_areas_are_those_of_the_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    net = random_net(
        rng, neurons=5, inputs=5, input_bits=4, head=("argmax", "threshold")[seed % 2], layers=1 + seed % 3
    )
    codes = random_codes(rng, replace(net, inputs=tuple(replace(f, levels=None) for f in net.inputs)), 150)
    labels = rng.integers(0, len(net.classes), len(codes))
    passes = [kind() for kind in PASSES if kind is not Inputs or seed % 4]
    space = Space.of(net, passes)
    cost = egfet.cost_model(space.layout, with_adc=seed % 4 == 1)
    engine = Engine(space.layout, codes, labels, workers=1)
    annealer = Annealer(space, engine, cost)
    genomes = rng.integers(space.low, space.high + 1, (3, space.size))
    genomes[0] = space.start()
    hot = np.full(3, 3.0)
    finds = annealer.run(genomes, 400, np.array([1.0, 30.0, 300.0]), hot, hot / 10, rng.integers(0, 2**32, 3))
    assert len(finds.vectors) >= 3
    assert finds.wrong.tolist() == engine.wrong(finds.vectors).tolist()
    assert np.allclose(finds.cost, cost.cost(finds.vectors), rtol=1e-12, atol=0)
    chosen = finds.vectors[:, space.where]
    assert np.all((chosen >= space.low) & (chosen <= space.high))
    fixed = np.setdiff1d(np.arange(space.layout.size), space.where)
    assert np.array_equal(finds.vectors[:, fixed], np.broadcast_to(space.base[fixed], (len(chosen), len(fixed))))
