"""Small random changes of a vector, within the genes' bounds: a chain's proposals."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mlpress.approx.common.kinds import Ints, Layers
from mlpress.approx.integer.genome_layout import Field
from mlpress.approx.integer.heap import bit_length
from mlpress.jit import inner

WEIGHT, MASK, BIAS, SHIFT, BITS, STEPS, LOW, HIGH, LEVELS = range(9)
FIELDS: tuple[Field, ...] = ("weight", "mask", "bias", "shift", "bits", "steps", "low", "high", "levels")


class Genes(NamedTuple):
    """Tables of a space's genes that moves read, int64.

    ``low`` and ``high`` (genes,) bound them; ``free`` (size,) is the gene of each element of a vector, or -1; ``place``
    (genes, 4) is each gene's position, layer, offset in its field, and whether it is a map of single levels; ``order``
    (genes,) sorts them by field and ``starts`` (fields + 1,) says where each field starts; ``owner`` (size,) is the
    node (inputs first, then neurons) that an element of a vector belongs to, or -1.
    """

    low: Ints
    high: Ints
    free: Ints
    place: Ints
    order: Ints
    starts: Ints
    owner: Ints


EDITS = 64
"""Elements that one proposal may change."""


MORE_MOVES = 0.3
"""How often a proposal has one more move."""


@inner
def new_log() -> Ints:
    """Return an empty log: positions and old values (:data:`EDITS`, 2) from index 1 on; their count is at (0, 0)."""
    return np.zeros((EDITS, 2), np.int64)


@inner
def edit(vector: Ints, log: Ints, genes: Genes, position: int, value: int) -> bool:
    """Set an element that is a gene, within its bounds, and log what it was; return whether it changed."""
    gene = genes.free[position]
    if gene < 0 or log[0, 0] + 1 >= EDITS:
        return False
    value = min(max(value, genes.low[gene]), genes.high[gene])
    if value == vector[position]:
        return False
    log[0, 0] += 1
    log[log[0, 0], 0], log[log[0, 0], 1] = position, vector[position]
    vector[position] = value
    return True


@inner
def undo(vector: Ints, log: Ints) -> None:
    """Take back all that is logged."""
    for i in range(log[0, 0], 0, -1):
        vector[log[i, 0]] = log[i, 1]
    log[0, 0] = 0


@inner
def random_step(reach: int) -> int:
    """Draw a signed power of two up to ``reach``; all sizes are equally likely."""
    size = 1 << np.random.randint(0, max(bit_length(reach), 1))
    return size if np.random.randint(0, 2) else -size


@inner
def random_mask(full: int) -> int:
    """Draw a mask: all bits, the leading ones, or a single one."""
    bits = bit_length(full)
    kind = np.random.randint(0, 4)
    if kind == 0 or bits == 0:
        return full
    if kind == 1:
        return 1 << np.random.randint(0, bits)
    return full & ~((1 << np.random.randint(0, bits)) - 1)


@inner
def change_weight(vector: Ints, log: Ints, genes: Genes, layers: Layers, place: Ints) -> None:
    """Give a connection a new power of two, or take it away."""
    layer = layers[place[1]]
    offset = place[2]
    position, mask = layer.weight + offset, layer.mask + offset
    code = vector[position]
    gene = genes.free[position]
    if code == 0:
        new = np.random.randint(genes.low[gene], genes.high[gene] + 1)
        if genes.free[mask] >= 0:
            edit(vector, log, genes, mask, random_mask(genes.high[genes.free[mask]]))
        edit(vector, log, genes, position, new)
        return
    match_ = np.random.randint(0, 5)
    if match_ <= 1:
        edit(vector, log, genes, position, 0)
    elif match_ == 2:
        edit(vector, log, genes, position, -code)
    else:
        up = np.random.randint(0, 2) * 2 - 1
        size = max(abs(code) + up, 1)
        edit(vector, log, genes, position, size if code > 0 else -size)


@inner
def change_mask(vector: Ints, log: Ints, genes: Genes, layers: Layers, place: Ints) -> None:
    """Change what a term sees of its source; a term that sees nothing goes away."""
    layer = layers[place[1]]
    offset = place[2]
    position, weight = layer.mask + offset, layer.weight + offset
    mask, full = vector[position], genes.high[genes.free[position]]
    bits = bit_length(full)
    kind = np.random.randint(0, 6)
    if kind <= 1:
        new = mask ^ (1 << np.random.randint(0, bits))
    elif kind <= 3:
        new = mask & (mask - 1)
    elif kind == 4:
        new = mask | (((mask & -mask) >> 1) if mask else full)
    else:
        new = random_mask(full)
    edit(vector, log, genes, position, new)
    if new == 0:
        edit(vector, log, genes, weight, 0)


@inner
def rewire(vector: Ints, log: Ints, genes: Genes, layers: Layers, place: Ints) -> None:
    """Move a term to another source of the same neuron."""
    layer = layers[place[1]]
    offset = place[2]
    per_neuron = layer.sources * layer.slots
    other = offset // per_neuron * per_neuron + np.random.randint(0, per_neuron)
    if other == offset:
        return
    code, mask = vector[layer.weight + offset], vector[layer.mask + offset]
    edit(vector, log, genes, layer.weight + other, code)
    edit(vector, log, genes, layer.mask + other, mask)
    edit(vector, log, genes, layer.weight + offset, 0)


@inner
def drop_column(vector: Ints, log: Ints, genes: Genes, layers: Layers, place: Ints) -> None:
    """Leave out the lowest column of a neuron's sum."""
    layer = layers[place[1]]
    per_neuron = layer.sources * layer.slots
    first = place[2] // per_neuron * per_neuron
    lowest = 1 << 30
    for at in range(first, first + per_neuron):
        code, mask = vector[layer.weight + at], vector[layer.mask + at]
        if code != 0 and mask != 0:
            lowest = min(lowest, abs(code) - 1 + bit_length(mask & -mask) - 1)
    for at in range(first, first + per_neuron):
        code, mask = vector[layer.weight + at], vector[layer.mask + at]
        bit = lowest - abs(code) + 1
        if code == 0 or not 0 <= bit < 62 or not mask >> bit & 1:
            continue
        if mask == 1 << bit:
            edit(vector, log, genes, layer.weight + at, 0)
        else:
            edit(vector, log, genes, layer.mask + at, mask & ~(1 << bit))


@inner
def rescale(vector: Ints, log: Ints, genes: Genes, layers: Layers, place: Ints) -> None:
    """Move a hidden neuron's output by one bit and its readers' weights the other way."""
    k, j = place[1], place[2]
    up = np.random.randint(0, 2) * 2 - 1
    if not edit(vector, log, genes, layers[k].shift + j, vector[layers[k].shift + j] + up):
        return
    reader = layers[k + 1]
    for n in range(reader.neurons):
        for slot in range(reader.slots):
            position = reader.weight + (n * reader.sources + j) * reader.slots + slot
            code = vector[position]
            if code != 0:
                size = max(abs(code) + up, 1)
                edit(vector, log, genes, position, size if code > 0 else -size)


@inner
def change_steps(vector: Ints, log: Ints, genes: Genes, layers: Layers, place: Ints) -> None:
    """Move a threshold, join it to another one, or put it out of reach."""
    layer = layers[place[1]]
    position = layer.steps + place[2]
    gene = genes.free[position]
    kind = np.random.randint(0, 6)
    if kind == 0:
        edit(vector, log, genes, position, genes.high[gene])
    elif kind == 1:
        first = layer.steps + place[2] // layer.step_count * layer.step_count
        edit(vector, log, genes, position, vector[first + np.random.randint(0, layer.step_count)])
    else:
        edit(vector, log, genes, position, vector[position] + random_step((genes.high[gene] - genes.low[gene]) >> 3))


@inner
def change_levels(vector: Ints, log: Ints, genes: Genes, place: Ints, position: int) -> None:
    """Keep or drop one level, drop every other one, or drop the input."""
    gene = genes.free[position]
    levels, all_ = vector[position], genes.high[gene]
    kind = np.random.randint(0, 8)
    if place[3] == 0:  # a count of leading bits
        edit(vector, log, genes, position, levels + np.random.randint(0, 2) * 2 - 1)
    elif kind == 0:
        edit(vector, log, genes, position, 0)
    elif kind == 1:
        edit(vector, log, genes, position, all_)
    elif kind == 2:
        step, kept = 1 << np.random.randint(1, 4), 0
        for q in range(step, bit_length(all_) + 1, step):
            kept |= 1 << (q - 1)
        edit(vector, log, genes, position, kept)
    else:
        edit(vector, log, genes, position, levels ^ (1 << np.random.randint(0, bit_length(all_))))


@inner
def propose(vector: Ints, log: Ints, genes: Genes, layers: Layers) -> None:
    """Make one random move."""
    field = 0
    for _ in range(20):
        draw = np.random.random()
        if draw < 0.36:
            field = WEIGHT
        elif draw < 0.68:
            field = MASK
        elif draw < 0.84:
            field = BIAS
        elif draw < 0.92:
            field = SHIFT if draw < 0.88 else BITS
        elif draw < 0.95:
            field = STEPS
        elif draw < 0.97:
            field = LOW if draw < 0.96 else HIGH
        else:
            field = LEVELS
        if genes.starts[field] < genes.starts[field + 1]:
            break
    if genes.starts[field] == genes.starts[field + 1]:
        field = np.random.choice(np.flatnonzero(genes.starts[1:] > genes.starts[:-1]))
    gene = genes.order[np.random.randint(genes.starts[field], genes.starts[field + 1])]
    for _ in range(8):  # masks of absent terms are idle, and absent terms are many
        at = genes.place[gene]
        active = field > MASK or (vector[layers[at[1]].weight + at[2]] != 0 and vector[layers[at[1]].mask + at[2]] != 0)
        if active or (field == WEIGHT and np.random.random() < 0.3):
            break
        gene = genes.order[np.random.randint(genes.starts[field], genes.starts[field + 1])]
    at = genes.place[gene]
    position = at[0]
    if field == WEIGHT:
        if vector[position] != 0 and np.random.random() < 0.25:
            rewire(vector, log, genes, layers, at)
        else:
            change_weight(vector, log, genes, layers, at)
    elif field == MASK:
        if np.random.random() < 0.08:
            drop_column(vector, log, genes, layers, at)
        else:
            change_mask(vector, log, genes, layers, at)
    elif field == BIAS:
        edit(vector, log, genes, position, vector[position] + random_step(genes.high[gene] >> 1))
    elif field == SHIFT and np.random.random() < 0.5:
        rescale(vector, log, genes, layers, at)
    elif field in (SHIFT, BITS):
        edit(vector, log, genes, position, vector[position] + np.random.randint(0, 2) * 2 - 1)
    elif field == STEPS:
        change_steps(vector, log, genes, layers, at)
    elif field == LEVELS:
        change_levels(vector, log, genes, at, position)
    elif np.random.random() < 0.3:
        edit(vector, log, genes, position, 0)
    else:
        edit(vector, log, genes, position, vector[position] + np.random.randint(0, 2) * 2 - 1)


@inner
def mark_touched(log: Ints, genes: Genes, touched: Ints) -> bool:
    """Mark the nodes (nodes,) that the log changed; return whether it changed the head."""
    touched[:] = False
    head = False
    for i in range(1, log[0, 0] + 1):
        node = genes.owner[log[i, 0]]
        if node >= 0:
            touched[node] = True
        head |= node < 0
    return head
