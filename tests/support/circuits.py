"""Random valid circuits that come from no net: dead and constant gates, repeated and constant outputs."""

from __future__ import annotations

import numpy as np

from mlpress.ir import Circuit, Input, Scores, index_bits, verify


def random_circuit(rng: np.random.Generator, *, gates: int = 60, regression: bool | None = None) -> Circuit:
    """A valid circuit of up to ``gates`` gates; its operands are sorted."""
    inputs = tuple(Input(f"f {k}", int(rng.integers(1, 6)), 1.0, 0.5 * k) for k in range(int(rng.integers(1, 5))))
    first = 1 + sum(feature.bits for feature in inputs)
    count = int(rng.integers(gates + 1))
    ands = np.array([np.sort(rng.integers(2 * (first + k), size=2)) for k in range(count)], np.int32).reshape(-1, 2)
    scored = bool(rng.random() < 0.3) if regression is None else regression
    classes = () if scored else tuple(range(int(rng.integers(2, 12))))
    widths = rng.integers(1, 9, int(rng.integers(1, 4))).tolist() if scored else [index_bits(len(classes))]
    outputs = tuple(tuple(rng.integers(2 * (first + count), size=width).tolist()) for width in widths)
    scores = Scores((0.5,) * len(widths), (-1.0,) * len(widths)) if scored else None
    circuit = Circuit(inputs, ands, outputs, classes, scores)
    verify(circuit)
    return circuit
