"""How a looped layer lies in memory: lanes of sums in a register, fields of weights in a table's elements.

A 32-bit register holds the sums of several neurons side by side, in *lanes*, and one 32-bit multiplication adds a
product to each.  A table element holds the weights of several neurons for one input; a shift and a mask bring one
weight to the foot of every lane.  Weights are stored as their distance from the layer's least weight, so that lanes
borrow nothing from each other: what is too much is the same multiple of the sum of the inputs for every neuron.
All arithmetic is modulo 2**32; only the final sums, moved to be at least 0, must fit their lanes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from mlpress.codegen.c.coded import rice
from mlpress.codegen.c.listed import BYTE_INDICES, Lists, lists
from mlpress.codegen.c.matrix import Matrix
from mlpress.codegen.c.shifted import Codes, shift_codes
from mlpress.codegen.c.text import store_type
from mlpress.ir import QRelu

PassKind = Literal["multiplied", "paired", "bitwise", "shifted", "bytes", "dsp", "coded", "listed"]
"""How a pass forms products: ``multiplied`` takes fields of weights times an input, ``paired`` ready lanes of weights
times an input, ``bitwise`` adds fields for every bit of an input, ``shifted`` shifts an input by a weight's code,
``bytes`` takes a byte times an input, ``dsp`` makes two 16-bit products an instruction, ``coded`` reads weights
of a Rice code, and ``listed`` adds the inputs of lists."""


@dataclass(frozen=True, slots=True)
class Group:
    """Neurons that one pass over the inputs computes.

    ``words`` elements of ``size`` bits (8, 16 or 32) hold the weights of an input; ``fields`` weights stand in each
    lane of an element.
    """

    size: int
    words: int
    fields: int
    lanes: int

    @property
    def sums(self) -> int:
        """Registers of sums."""
        return self.words * self.fields

    @property
    def neurons(self) -> int:
        """Neurons at most."""
        return self.sums * self.lanes


@dataclass(frozen=True, slots=True)
class Packing:
    """The layout of a layer: lanes, the offset of its sums, and its groups of neurons, each with its first one."""

    matrix: Matrix
    lanes: int
    offset: int
    groups: tuple[tuple[Group, int], ...]
    kind: PassKind
    narrow: bool = False

    @property
    def word(self) -> str:
        """The unsigned C type of a register of sums: of 16 bits where the core is ``narrow`` and the sums allow."""
        return "uint16_t" if self.narrow and self.matrix.high_sum + self.offset <= 0xFFFF else "uint32_t"

    @property
    def bias_word(self) -> str:
        """The unsigned C type of a start value in the table of biases."""
        top = max(value for group in range(len(self.groups)) for value in self.biases(group))
        return store_type(top) if self.kind in {"coded", "listed"} else self.word

    def element(self, shape: Group) -> str:
        """Return the C type of a table's elements."""
        return f"uint{shape.size}_t"

    def step(self, shape: Group) -> int:
        """Return how many elements a pass reads."""
        if self.kind in {"coded", "listed"}:
            return 0
        if self.kind == "dsp":
            return (self.matrix.inputs + 3) // 4 * shape.sums
        return self.matrix.inputs * (1 if self.kind == "bytes" else shape.words)

    @property
    def stride(self) -> int:
        """Bits of a lane."""
        return 32 // self.lanes

    @property
    def codes(self) -> Codes:
        """The shift codes of the weights."""
        found = shift_codes(self.matrix)
        assert found is not None, "the layout was made for shift codes"
        return found

    @property
    def lists(self) -> Lists:
        """The lists of inputs of the neurons."""
        return lists(self.matrix)

    def neuron(self, group: int, sum_: int, lane: int) -> int | None:
        """Return the neuron in this place, or ``None`` where there is none."""
        shape, first = self.groups[group]
        index = first + sum_ * shape.lanes + lane
        return index if index < self.matrix.outputs else None

    def elements(self, group: int) -> list[int]:
        """Return the table of a group: for every input (every four, of ``dsp``), its elements in order."""
        shape, _ = self.groups[group]
        m = self.matrix
        values = []
        if self.kind == "coded":
            return rice(m)[1] if group == 0 else []
        if self.kind == "listed":
            return self.lists.stream() if group == 0 else []
        if self.kind == "paired":
            return [
                sum(
                    m.weights[neuron][source] << (lane * self.stride)
                    for lane in range(self.lanes)
                    if (neuron := self.neuron(group, word, lane)) is not None
                )
                & 0xFFFFFFFF
                for source in range(m.inputs)
                for word in range(shape.words)
            ]
        if self.kind in {"bytes", "dsp"}:
            rows = [self.neuron(group, k, 0) for k in range(shape.sums)]
            columns = [[0 if row is None else m.weights[row][source] for row in rows] for source in range(m.inputs)]
            if self.kind == "bytes":
                return [sum((weight & 0xFF) << (8 * k) for k, weight in enumerate(column)) for column in columns]
            columns += [[0] * len(rows)] * (-m.inputs % 4)
            return [
                sum((columns[block + k][row] & 0xFF) << (8 * k) for k in range(4))
                for block in range(0, len(columns), 4)
                for row in range(len(rows))
            ]
        if self.kind == "shifted":
            codes = self.codes
            for source in range(m.inputs):
                for word in range(shape.words):
                    rows = [self.neuron(group, word * shape.fields + field, 0) for field in range(shape.fields)]
                    values.append(codes.element([None if row is None else m.weights[row][source] for row in rows]))
            return values
        for source in range(m.inputs):
            for word in range(shape.words):
                value = 0
                for field in range(shape.fields):
                    for lane in range(self.lanes):
                        neuron = self.neuron(group, word * shape.fields + field, lane)
                        weight = 0 if neuron is None else m.weights[neuron][source]
                        code = (weight - m.base) // m.step
                        if 0 <= code < 1 << m.bits:
                            value |= code << (lane * (shape.size // self.lanes) + field * m.bits)
                values.append(value)
        return values

    def biases(self, group: int) -> list[int]:
        """Return the start value of each register of a group, uint32: the biases plus the offset, in their lanes."""
        shape, _ = self.groups[group]
        values = []
        for index in range(shape.sums):
            value = 0
            for lane in range(self.lanes):
                neuron = self.neuron(group, index, lane)
                if neuron is not None:
                    value += (self.matrix.bias[neuron] + self.offset) << (lane * self.stride)
            values.append(value & (0xFFFF if self.word == "uint16_t" else 0xFFFFFFFF))
        return values

    @property
    def factor(self) -> int:
        """What a register of products is multiplied with."""
        if self.kind == "listed":
            return 1 << self.lists.fine
        return 1 if self.kind in {"paired", "bytes", "dsp", "coded"} else self.matrix.step

    @property
    def excess(self) -> int:
        """What each unit of the inputs' sum adds too much: ``-base`` in every lane, uint32."""
        if self.kind in {"paired", "shifted", "bytes", "dsp", "coded", "listed"}:
            return 0
        return sum(-self.matrix.base << (lane * self.stride) for lane in range(self.lanes)) & 0xFFFFFFFF


def packed(
    matrix: Matrix, accumulators: int, kind: PassKind, small: bool = False, narrow: bool = False
) -> Packing | None:
    """Return the layout of ``matrix`` for a core whose loops hold so many sums, or ``None`` where none fits.

    ``small`` asks for one shape of group for the whole layer, that which makes tables and code smallest.
    ``narrow`` takes sums of 16 bits where they suffice, for the kinds whose sums stand alone.
    """
    low, high = matrix.low_sum, matrix.high_sum
    unit = 1 << matrix.activation.shift if isinstance(matrix.activation, QRelu) else 1
    offset = -(low // unit) * unit if low < 0 else 0
    span = max(high + offset, offset)
    if kind == "bitwise" and matrix.step & (matrix.step - 1):  # a core without a multiplier can only shift
        matrix = replace(matrix, step=1, bits=((1 << matrix.bits) * matrix.step).bit_length())
    if kind == "shifted":
        codes = shift_codes(matrix)
        if codes is None or span >= 1 << 31:
            return None
        matrix = replace(matrix, base=0, step=codes.factor, bits=codes.bits)
    bits = matrix.bits
    if kind in {"coded", "listed"}:
        size = 16 if kind == "listed" and matrix.inputs > BYTE_INDICES else 8
        alone = tuple((Group(size, 1, 1, 1), k) for k in range(matrix.outputs))
        return Packing(matrix, 1, offset, alone, kind, narrow) if span < 1 << 31 else None
    if kind in {"bytes", "dsp"}:
        return _plain(matrix, accumulators, kind, offset, span)
    for lanes in {"paired": (2,), "shifted": (1,)}.get(kind, (4, 2, 1)):
        if (
            span < 1 << min(32 // lanes, 31)
            and (bits <= 32 // lanes or kind == "paired")
            and (lanes == 1 or matrix.outputs > 1)
        ):
            break
    else:
        return None
    if bits > 16 and kind != "paired":
        return None
    groups: list[tuple[Group, int]] = []
    first = 0
    shapes = _shapes(bits, lanes, accumulators)
    if kind == "paired":
        shapes = [Group(32, words, 1, lanes) for words in range(1, accumulators + 1)]
    if small:
        shapes = [min(shapes, key=lambda one: _bytes(one, matrix))]
    while first < matrix.outputs:
        left = matrix.outputs - first
        enough = [shape for shape in shapes if shape.neurons >= left]
        largest = max(shapes, key=lambda shape: (shape.neurons, -shape.size * shape.words))
        shape = min(enough, key=lambda one: (one.size * one.words, one.words, one.sums)) if enough else largest
        groups.append((shape, first))
        first += shape.neurons
    return Packing(matrix, lanes, offset, tuple(groups), kind)


def _plain(matrix: Matrix, accumulators: int, kind: PassKind, offset: int, span: int) -> Packing | None:
    """Return the layout with a register per neuron and a byte per weight."""
    weights = [weight for row in matrix.weights for weight in row]
    reach = max(
        abs(bias) + sum(abs(w) * high for w, high in zip(row, matrix.high, strict=True))
        for row, bias in zip(matrix.weights, matrix.bias, strict=True)
    )
    if min(weights) < -128 or max(weights) > 127 or span >= 1 << 31 or reach + offset >= 1 << 31:
        return None
    if max(matrix.high) > (0xFF if kind == "dsp" else 0x7FFF):
        return None
    accumulators = min(accumulators, 4) if kind == "bytes" else accumulators
    groups = []
    for first in range(0, matrix.outputs, accumulators):
        count = min(accumulators, matrix.outputs - first)
        size = 32 if kind == "dsp" or count > 2 else 8 * count
        groups.append((Group(size, 1, count, 1), first))
    return Packing(matrix, 1, offset, tuple(groups), kind, narrow=kind == "bytes")


def _bytes(shape: Group, matrix: Matrix) -> int:
    """Return about how many bytes tables and code take where all groups have this shape."""
    passes = -(-matrix.outputs // shape.neurons)
    spread = 6 if shape.lanes > 1 and shape.size < 32 else 0
    table_bytes = passes * (matrix.inputs * shape.words * shape.size // 8 + 4 * shape.sums)
    return table_bytes + (8 + spread) * shape.words + 10 * shape.sums


def _shapes(bits: int, lanes: int, accumulators: int) -> list[Group]:
    """Return the groups that registers can hold; one neuron always fits."""
    found = []
    for size in (8, 16, 32):
        fields = (size // lanes) // bits
        if fields == 0:
            continue
        for words in (1, 2):
            for used in range(1, fields + 1):
                if words * used <= accumulators and (words == 1 or (used == fields and size == 32)):
                    found.append(Group(size, words, used, lanes))
    if not found:
        found = [Group(32, 1, 1, lanes)]
    return found
