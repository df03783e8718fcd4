"""The search space: a start net, the passes that may change it, and one plain integer array for each candidate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlpress.approx.integer.genome_layout import Ints, Layout
from mlpress.approx.passes import Accumulate, Activation, ApproximatePass, Multiply
from mlpress.errors import MlpressError
from mlpress.ir import Net, verify

DEFAULT_PASSES: tuple[ApproximatePass, ...] = (Multiply(), Accumulate(), Activation())


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """Genomes, int64 (genes,), within ``low .. high``.

    ``base`` is the start net's vector, int64 (layout.size,); gene ``g`` replaces its element ``where[g]``.
    ``groups`` (layout.size,) numbers the neuron (over all layers) that an element of a vector belongs to; the head
    and each input have groups of their own.
    """

    layout: Layout
    passes: tuple[ApproximatePass, ...]
    base: Ints
    where: Ints
    low: Ints
    high: Ints
    groups: Ints

    @classmethod
    def of(cls, net: Net, passes: Sequence[ApproximatePass] = DEFAULT_PASSES) -> Space:
        """Return the space around ``net`` after each of the ``passes``, with all their genes."""
        start = apply(net, passes)
        slots = max((p.terms for p in passes if isinstance(p, Multiply)), default=1)
        layout = Layout.of(start, max(slots, 1))
        where, low, high = [], [], []
        for genes in (genes for p in passes for genes in p.genes(start)):
            positions = layout.field(genes.field, genes.layer)
            where.append(positions.ravel())
            low.append(np.broadcast_to(genes.low, positions.shape).ravel())
            high.append(np.broadcast_to(genes.high, positions.shape).ravel())
        if not where or not sum(len(part) for part in where):
            raise MlpressError("the passes free no gene of this net; choose at least one approximate pass")
        order = np.argsort(np.concatenate(where), kind="stable")
        positions = np.concatenate(where)[order]
        if len(np.unique(positions)) < len(positions):
            raise MlpressError("two passes free the same genes; give each pass once")
        lows, highs = (np.concatenate(part).astype(np.int64)[order] for part in (low, high))
        return cls(layout, tuple(passes), layout.pack(start), positions, lows, highs, _groups(layout))

    @property
    def size(self) -> int:
        """Genes in a genome."""
        return len(self.where)

    def genome(self, net: Net) -> Ints:
        """Return the genome nearest to ``net`` after the passes; fields without genes are the start's."""
        return self.clip(self.layout.pack(apply(net, self.passes))[self.where])

    def start(self) -> Ints:
        """Return the start net's own genome."""
        return self.clip(self.base[self.where])

    def clip(self, genomes: Ints) -> Ints:
        """Move ``genomes``, int64 (..., genes), into the bounds."""
        return np.clip(genomes, self.low, self.high)

    def vectors(self, genomes: Ints) -> Ints:
        """Return the vectors, int64 (members, layout.size), of genomes (members, genes)."""
        vectors = np.repeat(self.base[None], len(genomes), axis=0)
        vectors[:, self.where] = genomes
        return vectors

    def decode(self, genome: Ints) -> Net:
        """Return the net that a genome stands for, verified."""
        if genome.shape != (self.size,):
            raise MlpressError(f"a genome has shape {genome.shape}; this space has {self.size} genes")
        if np.any((genome < self.low) | (genome > self.high)):
            gene = int(np.flatnonzero((genome < self.low) | (genome > self.high))[0])
            raise MlpressError(f"gene {gene} is {genome[gene]}; it must be within {self.low[gene]}..{self.high[gene]}")
        net = self.layout.unpack(self.vectors(genome[None])[0])
        verify(net)
        return net


def apply(net: Net, passes: Sequence[ApproximatePass]) -> Net:
    """Return ``net`` after each of the ``passes`` in turn, verified."""
    verify(net)
    for step in passes:
        net = step(net)
        verify(net)
    return net


def _groups(layout: Layout) -> Ints:
    """Return the group of each element of a vector."""
    groups = np.zeros(layout.size, np.int64)
    for k, layer in enumerate(layout.tables.layers):
        numbers = layer["first"] + np.arange(layer["neurons"])
        groups[layout.field("weight", k)] = groups[layout.field("mask", k)] = numbers[:, None, None]
        groups[layout.field("bias", k)] = groups[layout.field("shift", k)] = groups[layout.field("bits", k)] = numbers
        groups[layout.field("steps", k)] = numbers[:, None]
    following = int(layout.tables.layers["neurons"].sum())
    groups[layout.field("low")] = groups[layout.field("high")] = following
    groups[layout.field("levels")] = following + 1 + np.arange(len(layout.tables.inputs))
    return groups
