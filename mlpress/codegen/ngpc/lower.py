"""From a field to a kernel: engines, tables, tiles of weights, buffers, commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpress.codegen.ngpc.check import check_image
from mlpress.codegen.ngpc.kernel import (
    Buffer,
    Command,
    Copy,
    DirectionUnit,
    Encode,
    GridUnit,
    Image,
    Index,
    Kernel,
    Level,
    LoadTable,
    LoadWeights,
    Mac,
    Place,
    Preload,
    Read,
    Store,
    Unit,
    WaveUnit,
    Weights,
    Write,
)
from mlpress.codegen.ngpc.place import Policy, place
from mlpress.hw.ngpc import Cluster
from mlpress.ir import Encode as EncodeNode
from mlpress.ir import Encoding, Field, Frequency, Grid, GridLevel, Network, Product, Singles, Span, Spherical

BATCH = 1024
"""Samples that a processor takes through a program at a time, where nobody says."""


class _Lowering:
    """What has been written of a kernel; values of the field have a buffer each."""

    def __init__(self, field: Field, cluster: Cluster, policy: Policy) -> None:
        self.field, self.cluster, self.policy = field, cluster, policy
        self.arrays: dict[str, NDArray[Any]] = {}
        self.buffers: list[Buffer] = []
        self.units: list[Unit] = []
        self.weights: list[Weights] = []
        self.preload: list[Preload] = []
        self.program: list[Command] = []
        self.values: list[Place] = []

    def buffer(self, width: int) -> Place:
        name = f"b{len(self.buffers)}"
        self.buffers.append(Buffer(name, width))
        return Place(name, 0, width)

    def columns(self, spans: Sequence[Span]) -> Place:
        """Return where the columns of ``spans`` stand together; several spans are copied into a buffer."""
        places = [
            Place(self.values[span.value].buffer, self.values[span.value].start + span.start, span.width)
            for span in spans
        ]
        if len(places) == 1:
            return places[0]
        joined, start = self.buffer(sum(one.count for one in places)), 0
        for one in places:
            self.program.append(Copy(one, Place(joined.buffer, start, one.count)))
            start += one.count
        return joined

    def encode(self, source: Place, encoding: Encoding, where: str) -> Place:
        name = f"e{len(self.units)}"
        match encoding:
            case Grid():
                self.units.append(self.grid(name, encoding, where))
                self.preload += [LoadTable(name, level) for level in range(len(encoding.levels))]
            case Spherical(degree=degree):
                self.units.append(DirectionUnit(name, degree))
            case Frequency(dimensions=dimensions, octaves=octaves):
                self.units.append(WaveUnit(name, dimensions, octaves))
        target = self.buffer(encoding.width)
        self.program.append(Encode(name, source, target))
        return target

    def grid(self, name: str, grid: Grid, where: str) -> GridUnit:
        placed = place(grid, self.cluster, self.policy, where)
        levels = []
        for level, placement in zip(grid.levels, placed.levels, strict=True):
            array = f"t{sum(name.startswith('t') for name in self.arrays)}"
            self.arrays[array] = level.table
            index = _index(level, grid.dimensions)
            levels.append(
                Level(level.scale, level.resolution, level.entries, index, array, level.bits, level.step, placement)
            )
        features = grid.levels[0].features
        return GridUnit(name, grid.dimensions, features, placed.lanes, placed.stride, placed.turns, tuple(levels))

    def layer(self, source: Place, layer: Product) -> Place:
        """Write a layer tile by tile: for each block of outputs, the blocks of inputs in order."""
        outputs, inputs = layer.weight.shape
        name = f"w{len(self.weights)}"
        array = f"m{len(self.weights)}"
        self.arrays[array] = weight_tiles(layer.weight, self.cluster)
        self.weights.append(Weights(name, inputs, outputs, array))
        self.preload.append(LoadWeights(name))
        target, tile = self.buffer(outputs), 0
        for start in range(0, outputs, self.cluster.mac_outputs):
            count = min(self.cluster.mac_outputs, outputs - start)
            for first in range(0, inputs, self.cluster.mac_inputs):
                taken = min(self.cluster.mac_inputs, inputs - first)
                columns = Place(source.buffer, source.start + first, taken)
                self.program.append(Mac(name, tile, columns, count, first == 0))
                tile += 1
            self.program.append(Store(layer.relu, Place(target.buffer, start, count)))
        return target


def _index(level: GridLevel, dimensions: int) -> Index:
    if level.hashed:
        return "hash"
    return "dense" if level.entries >= level.resolution**dimensions else "tiled"


def weight_tiles(weight: Singles, cluster: Cluster) -> Singles:
    """Cut ``weight`` (outputs, inputs) into tiles, float32 (tiles, mac_inputs, mac_outputs), zeros beyond its edges."""
    rows, columns = cluster.mac_inputs, cluster.mac_outputs
    outputs, inputs = weight.shape
    down, across = -(-inputs // rows), -(-outputs // columns)
    padded = np.zeros((down * rows, across * columns), np.float32)
    padded[:inputs, :outputs] = weight.T
    tiles = padded.reshape(down, rows, across, columns).transpose(2, 0, 1, 3)
    return np.ascontiguousarray(tiles.reshape(-1, rows, columns))


def lower_field(field: Field, cluster: Cluster, *, policy: Policy = "auto", batch: int = BATCH) -> Image:
    """Compile a verified ``field`` to the kernel of ``cluster``, with its arrays.

    ``policy`` ``sram`` refuses tables that would be cached.  Raises :class:`MlpressError` for what has no place.
    """
    made = _Lowering(field, cluster, policy)
    made.values.append(made.buffer(len(field.inputs)))
    made.program.append(Read(made.values[0]))
    for k, node in enumerate(field.nodes):
        source = made.columns(node.source)
        match node:
            case EncodeNode(encoding=encoding):
                source = made.encode(source, encoding, f"node {k}")
            case Network(layers=layers):
                for layer in layers:
                    source = made.layer(source, layer)
        made.values.append(source)
    made.program.append(Write(made.columns(field.results)))
    kernel = Kernel(
        cluster=cluster,
        precision=field.precision,
        batch=batch,
        inputs=field.inputs,
        outputs=field.outputs,
        buffers=tuple(made.buffers),
        units=tuple(made.units),
        weights=tuple(made.weights),
        preload=tuple(made.preload),
        program=tuple(made.program),
    )
    image = Image(kernel, made.arrays)
    check_image(image)
    return image
