"""What following a graph may take: small files can ask for constants and layers that are large.

Checked after every node, so that the memory beyond the budget is that of one node's results.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.frontend.symbolic import MAX_WEIGHTS, Coded, Const, Flow, Value

MAX_BYTES = 400 << 20
"""Bytes of all values that a later node may still read: three times those of the largest model with its integers."""

MAX_WORK = 3 << 32
"""Products of composed layers, and :data:`MOVE` for every element that a node reads: about 10 s of one core."""

MOVE = 16
"""Products in the time of one element that is read, changed and written to fresh memory."""


class Budget:
    """What is left of :data:`MAX_BYTES` and :data:`MAX_WORK` while a graph is followed."""

    def __init__(self) -> None:
        self._fresh = 0
        self._work = 0

    def read(self, inputs: Iterable[Value | None]) -> None:
        """Count the work of a node on these inputs; raise :class:`MlpressError` beyond the limit."""
        given = [value for value in inputs if value is not None]
        self._work += MOVE * sum(array.size for value in given for array in _changed(value))
        flows = [value for value in given if isinstance(value, Flow) and value.open_layer is not None]
        for flow in flows:
            width = flow.layers[-1].weight.shape[1]
            matrices = [value for value in given if isinstance(value, Const) and value.values.ndim == 2]
            self._work += width * sum(matrix.values.size for matrix in matrices)
        if self._work > MAX_WORK:
            raise MlpressError("the graph asks for more arithmetic on its constants than a model needs; fold them")

    def keep(self, result: Value, values: Iterable[Value]) -> None:
        """Count a node's result, beside the ``values`` that are kept; raise :class:`MlpressError` beyond the limit."""
        if isinstance(result, Flow | Coded):
            _check_weights(result if isinstance(result, Flow) else result.flow)
        self._fresh += sum(array.nbytes for array in _changed(result))
        if self._fresh > MAX_BYTES // 2:
            self._fresh = _held([result, *values])
        if self._fresh > MAX_BYTES:
            raise MlpressError(
                f"its constants and layers take more than {MAX_BYTES >> 20} MiB when written out; "
                f"a model has at most {MAX_WEIGHTS} weights"
            )


def _check_weights(flow: Flow) -> None:
    """Refuse weights that no model may have as soon as they are there."""
    weights = sum(layer.weight.size for layer in flow.layers)
    if weights > MAX_WEIGHTS:
        raise MlpressError(f"the layers up to here have {weights} weights; a model has at most {MAX_WEIGHTS}")


def _changed(value: Value) -> Iterator[NDArray[np.generic]]:
    """Yield the arrays that a node reads or makes anew: those of a constant, or of a flow and its last layer."""
    match value:
        case Const():
            yield from (part for part in (value.values, value.codes, value.scales) if part is not None)
        case Flow():
            yield from (value.scale, value.offset, value.gain, value.shift)
            for layer in value.layers[-1:]:
                yield layer.weight
                if layer.integers is not None:
                    yield layer.integers.weight
        case Coded(flow):
            yield from _changed(flow)
        case _:
            pass


def _held(values: Iterable[Value]) -> int:
    """Return the bytes of all distinct arrays in ``values``; views count as what they show."""
    arrays: dict[int, int] = {}
    for value in values:
        flow = value.flow if isinstance(value, Coded) else value
        for array in _changed(flow):
            arrays[id(array)] = array.nbytes
        if isinstance(flow, Flow):
            for layer in flow.layers[:-1]:
                arrays[id(layer.weight)] = layer.weight.nbytes
                if layer.integers is not None:
                    arrays[id(layer.integers.weight)] = layer.integers.weight.nbytes
    return sum(arrays.values())
