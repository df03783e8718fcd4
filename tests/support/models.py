"""Random valid models of the real level."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from mlpress.ir import (
    ArgmaxHead,
    Clip,
    Dense,
    HardSigmoid,
    Integers,
    LeakyRelu,
    Linear,
    Model,
    Quantiser,
    RealActivation,
    RealHead,
    Relu,
    ScoresHead,
    Sigmoid,
    Tanh,
    ThresholdHead,
    verify,
)

ACTIVATIONS: tuple[RealActivation, ...] = (
    Linear(),
    Relu(),
    Clip(-0.5, 1.75),
    LeakyRelu(0.1),
    Sigmoid(),
    HardSigmoid(0.2, 0.5),
    Tanh(),
)


def random_model(rng: np.random.Generator, *, quantised: bool | None = None) -> Model:
    """A valid model of 1 to 4 layers with every activation and head; ``quantised`` ones hold their integers."""
    inputs = int(rng.integers(1, 9))
    integer = bool(rng.random() < 0.4) if quantised is None else quantised
    heads: list[tuple[RealHead, int]] = [
        (ArgmaxHead(), int(rng.integers(2, 6))),
        (ThresholdHead(float(rng.choice([0.0, 0.5]))), 1),
        (ScoresHead(), int(rng.integers(1, 4))),
    ]
    head, outputs = heads[int(rng.integers(3))]
    widths = [inputs, *(int(width) for width in rng.integers(1, 9, int(rng.integers(0, 4)))), outputs]
    layers = tuple(
        _dense(rng, above, below, Linear() if k == len(widths) - 2 else ACTIVATIONS[int(rng.integers(7))], integer)
        for k, (below, above) in enumerate(pairwise(widths))
    )
    count = {ArgmaxHead: outputs, ThresholdHead: 2, ScoresHead: 0}[type(head)]
    model = Model(
        tuple(f"feature {k}" for k in range(inputs)),
        rng.uniform(-2, 2, inputs),
        rng.normal(size=inputs),
        layers,
        head,
        tuple(range(count)) if rng.random() < 0.5 else tuple(f"class {k}" for k in range(count)),
        Clip(-1.5, 2.0) if rng.random() < 0.3 else None,
        _quantiser(rng) if integer else None,
    )
    verify(model)
    return model


def _quantiser(rng: np.random.Generator) -> Quantiser:
    return Quantiser(float(rng.uniform(0.01, 0.1)), int(rng.integers(-20, 20)), -128, 127)


def _dense(rng: np.random.Generator, outputs: int, inputs: int, activation: RealActivation, integer: bool) -> Dense:
    if not integer:
        return Dense(rng.normal(size=(outputs, inputs)), rng.normal(size=outputs), activation)
    weight, scale = rng.integers(-127, 128, (outputs, inputs)), rng.uniform(0.005, 0.02, outputs)
    quantiser = _quantiser(rng) if rng.random() < 0.7 else None
    if rng.random() < 0.5:
        held = Integers(weight, scale)
        return Dense(weight * scale[:, None], rng.normal(size=outputs), activation, held, quantiser)
    bias, bias_scale = rng.integers(-5000, 5000, outputs), rng.uniform(0.0001, 0.0005, outputs)
    held = Integers(weight, scale, bias, bias_scale)
    return Dense(weight * scale[:, None], bias * bias_scale, activation, held, quantiser)
