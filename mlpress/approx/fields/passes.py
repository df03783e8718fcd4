"""Discrete approximations of fields: levels left out of a grid, weights rounded to powers of two.

Tables of fewer bits are :func:`mlpress.ir.integer_level`.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace

import numpy as np

from mlpress.errors import MlpressError
from mlpress.ir import Encode, Field, FieldNode, Grid, Network, Product, Singles, Span


def power_of_two(weight: Singles) -> Singles:
    """Return the nearest powers of two, signs and zeros kept; below 2**-24, float16's least, all become 0.

    As in networks of shifts and adds (M. Elhoushi et al., "DeepShift", CVPR workshops 2021).
    """
    mantissa, exponent = np.frexp(weight)
    nearest = np.where(np.abs(mantissa) < 0.75, exponent - 1, exponent)
    powers = np.ldexp(np.sign(weight), nearest)
    found: Singles = np.where((weight == 0) | (nearest < -24), 0, powers).astype(np.float32)
    return found


def prunable(field: Field) -> tuple[int, ...]:
    """Return the nodes that are grids of several levels which nothing but networks reads."""
    others = {span.value for node in field.nodes if isinstance(node, Encode) for span in node.source}
    others |= {span.value for span in field.results}
    return tuple(
        k
        for k, node in enumerate(field.nodes)
        if isinstance(node, Encode)
        and isinstance(node.encoding, Grid)
        and len(node.encoding.levels) > 1
        and k + 1 not in others
    )


def without_levels(field: Field, dropped: Mapping[int, Set[int]]) -> Field:
    """Return ``field`` without the levels ``dropped`` by node, and without the weights that read them.

    It is the function of the field whose tables hold zeros there.  Raises :class:`MlpressError` for a node that is not
    :func:`prunable`, and where no level would be left.
    """
    kept: dict[int, list[int]] = {}
    nodes: list[FieldNode] = []
    for k, node in enumerate(field.nodes):
        if dropped.get(k) and isinstance(node, Encode) and isinstance(node.encoding, Grid) and k in prunable(field):
            levels = node.encoding.levels
            left = [n for n in range(len(levels)) if n not in dropped[k]]
            if not left:
                raise MlpressError(f"node {k}: no level would be left")
            width = levels[0].features
            kept[k + 1] = [n * width + feature for n in left for feature in range(width)]
            nodes.append(replace(node, encoding=replace(node.encoding, levels=tuple(levels[n] for n in left))))
        elif dropped.get(k):
            raise MlpressError(f"node {k}: its levels cannot be left out")
        elif isinstance(node, Network) and any(span.value in kept for span in node.source):
            nodes.append(_narrowed(node, kept))
        else:
            nodes.append(node)
    return replace(field, nodes=tuple(nodes))


def _narrowed(network: Network, kept: Mapping[int, list[int]]) -> Network:
    """Return a network that reads the columns that are left."""
    spans: list[Span] = []
    columns: list[int] = []
    at = 0
    for span in network.source:
        if span.value not in kept:
            spans.append(span)
            columns += range(at, at + span.width)
        else:
            own = kept[span.value]
            left = [place for place, column in enumerate(own) if span.start <= column < span.stop]
            columns += [at + own[place] - span.start for place in left]
            if left:
                spans.append(Span(span.value, left[0], left[-1] + 1))
        at += span.width
    if not spans:
        raise MlpressError("a network would read nothing")
    first = network.layers[0]
    weight = np.ascontiguousarray(first.weight[:, columns])
    return Network(tuple(spans), (Product(weight, first.relu), *network.layers[1:]))
