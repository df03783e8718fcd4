"""The drawing of an integer network: neurons by layer, weights, masks and pruned connections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlpress import ir
from mlpress.report.figures import counted, words
from mlpress.report.vega import Spec, spec

MOST_EDGES = 2_000
"""Connections that are drawn; of more, those of the largest weights."""

MOST_NEURONS = 128
"""Neurons of a layer that are drawn, the first ones."""

ROW = 22
"""Pixels per neuron."""


def network(net: ir.Net) -> tuple[Spec, str]:
    """Return the drawing of ``net``, and what it leaves out in a sentence, empty where that is nothing."""
    columns = [[feature.name or ir.port_name(k) for k, feature in enumerate(net.inputs)]]
    columns += [[f"neuron {j}" for j in range(len(layer.neurons))] for layer in net.layers]
    if net.classes and len(net.classes) == len(columns[-1]):
        columns[-1] = [words(name) for name in net.classes]
    shown = [names[:MOST_NEURONS] for names in columns]
    edges = [edge for k, layer in enumerate(net.layers) for edge in _edges(k, layer, columns, len(shown[k]))]
    edges = [edge for edge in edges if edge["j"] < len(shown[edge["layer"] + 1])]
    edges.sort(key=lambda edge: -edge["weight"])
    kept = edges[:MOST_EDGES]
    _place(kept, shown)
    rows = max(map(len, shown))
    drawn = spec("network", {"edges": kept[::-1], "nodes": _nodes(net, shown)})
    drawn["height"] = min(max(rows * ROW, 140), 1200)
    left_out = []
    if len(edges) > len(kept):
        left_out.append(f"the {counted(len(edges) - len(kept), 'connection')} of the smallest weights")
    if hidden := sum(map(len, columns)) - sum(map(len, shown)):
        left_out.append(counted(hidden, "neuron"))
    return drawn, f"Not drawn: {' and '.join(left_out)}." if left_out else ""


def _edges(k: int, layer: ir.Layer, columns: Sequence[Sequence[str]], sources: int) -> list[dict[str, Any]]:
    largest = max((abs(weight) for weight, _ in _weights(layer, sources).values()), default=1) or 1
    found = []
    widths = _source_bits(layer)
    for (i, j), (weight, terms) in _weights(layer, sources).items():
        whole = (1 << widths.get(i, 1)) - 1
        masked = any(term.mask & whole != whole for term in terms)
        names = f"{columns[k][i]} → {columns[k + 1][j]}"
        if terms:
            said = " ".join(f"{'+' if term.sign > 0 else '−'} ((x & {term.mask:b}) ≪ {term.shift})" for term in terms)
            tip = f"{names}\nweight {weight}{', some bits masked' if masked else ''}\n{said}"
        else:
            tip = f"{names}\npruned"
        found.append(
            {
                "layer": k,
                "i": i,
                "j": j,
                "weight": abs(weight),
                "from": f"{k}.{i}",
                "to": f"{k + 1}.{j}",
                "colour": "var(--line)" if not terms else "var(--accent)" if weight >= 0 else "var(--cool)",
                "width": 0.8 + 3.2 * abs(weight) / largest if terms else 0.8,
                "dash": [2, 4] if not terms else [7, 3] if masked else [],
                "opacity": 0.75 if terms else 0.7,
                "tip": tip[:600],
                "kind": "pruned" if not terms else "masked" if masked else "whole",
            }
        )
    return found


def _weights(layer: ir.Layer, sources: int) -> dict[tuple[int, int], tuple[int, list[ir.Term]]]:
    """Return by source and neuron the weight, the sum of its signed powers of two, and its terms; pruned ones too."""
    found: dict[tuple[int, int], tuple[int, list[ir.Term]]] = {}
    for j, neuron in enumerate(layer.neurons[:MOST_NEURONS]):
        by_source: dict[int, list[ir.Term]] = {}
        for term in neuron.terms:
            by_source.setdefault(term.source, []).append(term)
        for i in range(sources):
            terms = by_source.get(i, [])
            found[i, j] = sum(term.sign << term.shift for term in terms), terms
    return found


def _source_bits(layer: ir.Layer) -> dict[int, int]:
    """Return the most bits that any term reads of each source."""
    found: dict[int, int] = {}
    for neuron in layer.neurons:
        for term in neuron.terms:
            found[term.source] = max(found.get(term.source, 0), term.mask.bit_length())
    return found


def _at(column: Sequence[str], j: int) -> float:
    """Return the height of neuron ``j`` of a column, 0 (top) to 1; short columns stand in the middle."""
    return (j + 0.5) / len(column)


def _place(edges: list[dict[str, Any]], columns: Sequence[Sequence[str]]) -> None:
    last = len(columns) - 1
    for edge in edges:
        k = edge["layer"]
        edge |= {"x0": k / last, "x1": (k + 1) / last}
        edge |= {"y0": _at(columns[k], edge.pop("i")), "y1": _at(columns[k + 1], edge.pop("j"))}


def _nodes(net: ir.Net, columns: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    read = {term.source for neuron in net.layers[0].neurons for term in neuron.terms}
    last, found = len(columns) - 1, []
    for k, names in enumerate(columns):
        for j, name in enumerate(names):
            used = k > 0 or j in read
            if k:
                neuron = net.layers[k - 1].neurons[j]
                tip = f"{name}\nbias {neuron.bias}, {counted(len(neuron.terms), 'term')}"
            else:
                feature = net.inputs[j]
                tip = f"{name}\n{counted(feature.bits, 'bit')}{'' if used else '; nothing reads it'}"
            inside = 0 < k < last
            found.append(
                {
                    "id": f"{k}.{j}",
                    "x": k / last,
                    "y": _at(names, j),
                    "name": "" if inside else name,
                    "align": "right" if k == 0 else "left" if k == last else "center",
                    "shift": -11 if k == 0 else 11,
                    "opacity": 1.0 if used else 0.4,
                    "tip": tip,
                    "said": name,
                }
            )
    return found
