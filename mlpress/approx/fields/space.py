"""The search space of a field: one gene per level of a grid, one per layer of a network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpress.approx.fields.passes import power_of_two, prunable, without_levels
from mlpress.errors import MlpressError
from mlpress.ir import Encode, Field, FieldNode, Grid, GridLevel, Network, Product, integer_level, verify

Ints = NDArray[np.int64]

BITS = (None, 8, 7, 6, 5, 4, 3, 2)
"""Bits of a table's values by gene; None: as given."""

PRUNED = len(BITS)
"""The gene of a level that is left out."""


class Gene(NamedTuple):
    """What a gene changes: level or layer ``part`` of a node; it is ``0 .. most``."""

    node: int
    part: int
    most: int


@dataclass(frozen=True, slots=True, eq=False)
class FieldSpace:
    """Genomes, int64 (genes,), within ``low .. high``, and the fields that they stand for.

    ``where`` numbers the genes, and ``groups`` the node of each, for crossover.
    """

    field: Field
    genes: tuple[Gene, ...]
    where: Ints
    low: Ints
    high: Ints
    groups: Ints

    @classmethod
    def of(cls, field: Field) -> FieldSpace:
        """Return the space around ``field``; raise where there is neither a table nor a layer."""
        verify(field)
        free = prunable(field)
        genes: list[Gene] = []
        for k, node in enumerate(field.nodes):
            if isinstance(node, Network):
                genes += [Gene(k, part, 1) for part in range(len(node.layers))]
            elif isinstance(node.encoding, Grid):
                most = PRUNED if k in free else PRUNED - 1
                genes += [Gene(k, part, most) for part in range(len(node.encoding.levels))]
        if not genes:
            raise MlpressError("the field has neither tables nor layers to approximate")
        high = np.array([gene.most for gene in genes], np.int64)
        groups = np.array([gene.node for gene in genes], np.int64)
        return cls(field, tuple(genes), np.arange(len(genes)), np.zeros_like(high), high, groups)

    @property
    def size(self) -> int:
        """Genes in a genome."""
        return len(self.genes)

    def clip(self, genomes: Ints) -> Ints:
        """Return genomes (..., genes) within the bounds; of a grid that would lose all levels the first one stays."""
        found: Ints = np.clip(genomes, self.low, self.high)
        for node in np.unique(self.groups):
            own = np.flatnonzero(self.groups == node)
            if self.high[own[0]] == PRUNED:
                lost = (found[..., own] == PRUNED).all(axis=-1)
                found[..., own[0]] = np.where(lost, 0, found[..., own[0]])
        return found

    def uniform(self, table: int, layer: int) -> Ints:
        """Return the genome that does the same to all tables, and the same to all layers."""
        tables = np.array([isinstance(self.field.nodes[gene.node], Encode) for gene in self.genes])
        return self.clip(np.where(tables, table, layer).astype(np.int64))

    def level(self, gene: Gene, value: int) -> GridLevel:
        """Return a level as a gene of this ``value`` makes it; one that is left out has zeros."""
        node = self.field.nodes[gene.node]
        assert isinstance(node, Encode) and isinstance(node.encoding, Grid)
        level = node.encoding.levels[gene.part]
        if value == PRUNED:
            return replace(level, table=np.zeros_like(level.table))
        bits = BITS[value]
        return level if bits is None else integer_level(level, bits)

    def layer(self, gene: Gene, value: int) -> Product:
        """Return a layer as a gene of this ``value`` makes it."""
        node = self.field.nodes[gene.node]
        assert isinstance(node, Network)
        layer = node.layers[gene.part]
        return Product(power_of_two(layer.weight), layer.relu) if value else layer

    def decode(self, genome: Ints) -> Field:
        """Return the field that a genome stands for, verified."""
        if genome.shape != (self.size,) or np.any((genome < self.low) | (genome > self.high)):
            raise MlpressError(f"a genome of this field has {self.size} genes within their bounds")
        dropped: dict[int, set[int]] = {}
        nodes: list[FieldNode] = list(self.field.nodes)
        for gene, value in zip(self.genes, genome.tolist(), strict=True):
            node = nodes[gene.node]
            if isinstance(node, Network):
                layers = [*node.layers]
                layers[gene.part] = self.layer(gene, value)
                nodes[gene.node] = replace(node, layers=tuple(layers))
            elif value == PRUNED:
                dropped.setdefault(gene.node, set()).add(gene.part)
            elif isinstance(node.encoding, Grid):
                levels = [*node.encoding.levels]
                levels[gene.part] = self.level(gene, value)
                nodes[gene.node] = replace(node, encoding=replace(node.encoding, levels=tuple(levels)))
        found = without_levels(replace(self.field, nodes=tuple(nodes)), dropped)
        verify(found)
        return found

    def words(self, genome: Ints) -> tuple[str, str]:
        """Return the bits of all tables (``-``: left out), and each layer's weights: ``exact`` or ``power``."""
        tables, layers = [], []
        for gene, value in zip(self.genes, genome.tolist(), strict=True):
            if isinstance(self.field.nodes[gene.node], Network):
                layers.append("power" if value else "exact")
            else:
                tables.append("-" if value == PRUNED else str(self.level(gene, value).bits))
        return " ".join(tables), " ".join(layers)
