"""How well the fields of a search fit samples, quickly: what a level gives is computed once per number of bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlpress.approx.fields.space import PRUNED, FieldSpace, Gene, Ints
from mlpress.ir import Encode, Grid, Network, Singles, Span, check_samples, encoded

DIGITS = 4
"""Decimals of a ratio in dB: the order of a product's sums, which threads change, is not seen in them."""


class FieldJudge:
    """The fields of a space on ``samples`` (rows, inputs): their values, and their noise against ``wanted``.

    Sums are those of a matrix product, in no stated order, and so differ from the field's by rounding: good enough to
    rank; what ships is judged by the reference interpreter.
    """

    def __init__(self, space: FieldSpace, samples: NDArray[np.float64], wanted: NDArray[np.float64]) -> None:
        """Keep samples and wanted values (rows, outputs)."""
        self.space = space
        self.samples = check_samples(space.field, samples)
        self.wanted = np.asarray(wanted, np.float64).reshape(len(self.samples), -1)
        self.peak = max(float(self.wanted.max() - self.wanted.min()), 1e-12)
        self._known: dict[tuple[int, int, int], Singles] = {}
        self._own: dict[int, list[int]] = {}
        for g, gene in enumerate(space.genes):
            self._own.setdefault(gene.node, []).append(g)

    def values(self, genome: Ints) -> Singles:
        """Return float32 (rows, outputs) of the field that a genome stands for."""
        values: list[Singles] = [self.samples]
        genes = genome.tolist()
        for k, node in enumerate(self.space.field.nodes):
            source = _joined(values, node.source)
            own = [(self.space.genes[g], genes[g]) for g in self._own.get(k, ())]
            if isinstance(node, Network):
                for gene, value in own:
                    layer = self.space.layer(gene, value)
                    source = source @ layer.weight.T
                    source = self._rounded(np.maximum(source, np.float32(0)) if layer.relu else source)
                values.append(source)
            elif isinstance(node.encoding, Grid):
                values.append(np.concatenate([self._level(node, gene, v, source) for gene, v in own], axis=1))
            else:
                values.append(self._rounded(encoded(node.encoding, source)))
        return _joined(values, self.space.field.results)

    def psnr(self, genome: Ints, rows: NDArray[np.int64]) -> float:
        """Return the peak signal-to-noise ratio in dB over ``rows``, at most 200."""
        return self.ratio(self.values(genome)[rows], rows)

    def ratio(self, found: Singles, rows: NDArray[np.int64]) -> float:
        """Return the ratio in dB of values (rows, outputs); the peak is the span of all wanted values."""
        noise = float(np.mean((self.wanted[rows] - found) ** 2))
        return round(float(10 * np.log10(self.peak**2 / max(noise, 1e-20 * self.peak**2))), DIGITS)

    def _level(self, node: Encode, gene: Gene, value: int, source: Singles) -> Singles:
        key = (gene.node, gene.part, value)
        if key not in self._known:
            assert isinstance(node.encoding, Grid)
            level = self.space.level(gene, value)
            given = encoded(Grid(node.encoding.dimensions, (level,)), source) if value != PRUNED else None
            zeros = np.zeros((len(source), level.features), np.float32)
            self._known[key] = zeros if given is None else self._rounded(given)
        return self._known[key]

    def _rounded(self, values: Singles) -> Singles:
        half = self.space.field.precision == "float16"
        return values.astype(np.float16).astype(np.float32) if half else values


def _joined(values: list[Singles], spans: tuple[Span, ...]) -> Singles:
    return np.concatenate([values[span.value][:, span.start : span.stop] for span in spans], axis=1)
