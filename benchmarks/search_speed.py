"""How many candidates a second the population engine evaluates, against the interpreter and against NumPy.

Pendigits' training rows, a 16-5-10 network of one masked power of two a connection; all three count the same
wrong rows, which is checked.
"""

import os
from time import perf_counter
from typing import Any

import numpy as np
from support import TOPOLOGIES, arguments, coded, show

from mlpress import approx, ir
from mlpress.targets import Printed

POPULATION = 4000
REFERENCE_ROWS = 100
NUMPY_MEMBERS = 20


def numpy_wrong(layers: list[tuple[np.ndarray, ...]], x: np.ndarray, labels: np.ndarray) -> int:
    """Wrong rows of one candidate, written down directly."""
    for mask, factor, bias, shift, top in layers:
        total = ((x[:, None, :] & mask) * factor).sum(axis=2) + bias
        x = np.clip(total >> shift, 0, top) if top is not None else total
    return int(np.count_nonzero(x.argmax(axis=1) != labels))


def as_arrays(net: ir.Net) -> list[tuple[np.ndarray, ...]]:
    """Masks and signed powers of two (neurons, sources), biases, shifts and largest outputs (neurons,), by layer."""
    found, sources = [], len(net.inputs)
    for layer in net.layers:
        mask, factor = (np.zeros((len(layer.neurons), sources), np.int32) for _ in range(2))
        for j, neuron in enumerate(layer.neurons):
            for term in neuron.terms:
                mask[j, term.source], factor[j, term.source] = term.mask, term.sign << term.shift
        bias = np.array([neuron.bias for neuron in layer.neurons], np.int32)
        clips = [n.activation for n in layer.neurons if isinstance(n.activation, ir.QRelu)]
        shift = np.array([clip.shift for clip in clips], np.int32)
        found.append((mask, factor, bias, shift, np.array([(1 << c.bits) - 1 for c in clips]) if clips else None))
        sources = len(layer.neurons)
    return found


def measure(options: Any) -> list[dict[str, Any]]:
    """The rows of the table."""
    train, _ = coded(options.data, "pendigits")
    x, labels = train.features.astype(np.int64), train.labels
    inputs = tuple(ir.Input(name, 4, 1.0, 0.0) for name in train.names)
    start = approx.dense(inputs, TOPOLOGIES["pendigits"][1:-1], train.classes)
    space = approx.Space.of(start)
    rng = np.random.default_rng(0)
    genomes = rng.integers(space.low, space.high + 1, (POPULATION, space.size))
    genomes[:, space.where < space.layout.field("mask", 0)[0, 0, 0]] |= 1  # no connection is absent
    vectors = space.vectors(genomes)
    nets = [space.decode(genome) for genome in genomes[:NUMPY_MEMBERS]]

    rows: list[dict[str, Any]] = []

    def add(name: str, seconds: float) -> None:
        rows.append({"engine": name, "candidates_per_s": 1 / seconds})

    since = perf_counter()
    decided = ir.interpret(nets[0], x[:REFERENCE_ROWS]).decision
    add("reference interpreter", (perf_counter() - since) * len(x) / REFERENCE_ROWS)

    since = perf_counter()
    direct = [numpy_wrong(as_arrays(net), x.astype(np.int32), labels) for net in nets]
    add("NumPy", (perf_counter() - since) / len(nets))

    for workers in sorted({1, os.cpu_count() or 1}):
        engine = approx.Engine(space.layout, x, labels, workers)
        engine.wrong(vectors[:1])  # compile
        since = perf_counter()
        wrong = engine.wrong(vectors)
        add(f"population engine, {workers} threads", (perf_counter() - since) / POPULATION)
    assert wrong[: len(nets)].tolist() == direct
    few = slice(0, REFERENCE_ROWS)
    assert numpy_wrong(as_arrays(nets[0]), x[few], labels[few]) == np.count_nonzero(decided != labels[few])

    cost = Printed().cost_model(space.layout)
    cost.cost(vectors[:1])
    since = perf_counter()
    cost.cost(vectors)
    add("cost model", (perf_counter() - since) / POPULATION)
    reference, numpy_speed = rows[0]["candidates_per_s"], rows[1]["candidates_per_s"]
    return [
        row | {"to_interpreter": row["candidates_per_s"] / reference, "to_numpy": row["candidates_per_s"] / numpy_speed}
        for row in rows
    ]


def main() -> None:
    """Print the table."""
    options = arguments(str(__doc__).splitlines()[0]).parse_args()
    show("Candidates a second, 16-5-10, pendigits' 7,694 training rows", measure(options), options.json)


if __name__ == "__main__":
    main()
