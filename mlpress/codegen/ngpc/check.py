"""The rules of kernels.  Files are untrusted: what passes here can be run without leaving any array."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from mlpress.codegen.ngpc.kernel import (
    Copy,
    DirectionUnit,
    Encode,
    GridUnit,
    Image,
    Kernel,
    Level,
    LoadTable,
    Mac,
    Place,
    Read,
    Store,
    Weights,
    Write,
)
from mlpress.errors import MlpressError

MOST_BATCH, MOST_WIDTH, MOST_COMMANDS = 1 << 16, 1 << 14, 1 << 18
MOST_BUFFERED = 1 << 20  # values per sample in all buffers
INDEX_LIMIT = 1 << 31


def check_image(image: Image) -> None:
    """Raise :class:`MlpressError` at the first rule of ``docs/ngpc.md`` that a kernel or its arrays break."""
    kernel = image.kernel
    kernel.cluster.check()
    _range("batch", kernel.batch, 1, MOST_BATCH)
    _distinct("buffers", [buffer.name for buffer in kernel.buffers])
    _distinct("units and weights", [one.name for one in (*kernel.units, *kernel.weights)])
    for buffer in kernel.buffers:
        _range(f"buffer {buffer.name}", buffer.width, 1, MOST_WIDTH)
    _range("buffers", sum(buffer.width for buffer in kernel.buffers), 1, MOST_BUFFERED)
    _range("commands", len(kernel.preload) + len(kernel.program), 2, MOST_COMMANDS)
    for unit in kernel.units:
        if isinstance(unit, GridUnit):
            _check_grid(unit, kernel, image.arrays)
        elif isinstance(unit, DirectionUnit):
            _range(f"{unit.name}: degree", unit.degree, 1, 4)
        else:
            _range(f"{unit.name}: dimensions", unit.dimensions, 1, MOST_WIDTH)
            _range(f"{unit.name}: octaves", unit.octaves, 1, 16)
    for weights in kernel.weights:
        _check_weights(weights, kernel, image.arrays)
    _check_preload(kernel)
    _check_program(kernel)


def _fail(where: str, what: str) -> NoReturn:
    raise MlpressError(f"kernel, {where}: {what}")


def _range(what: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        _fail(what, f"{value} is not within {low}..{high}")


def _distinct(what: str, names: list[str]) -> None:
    if len(set(names)) != len(names):
        _fail(what, "two have the same name")


def _check_grid(unit: GridUnit, kernel: Kernel, arrays: Mapping[str, NDArray[Any]]) -> None:
    _range(f"{unit.name}: dimensions", unit.dimensions, 1, 4)
    _range(f"{unit.name}: features", unit.features, 1, 16)
    _range(f"{unit.name}: levels", len(unit.levels), 1, 64)
    if unit.lanes < 1 or unit.stride < 1 or unit.lanes * unit.stride > kernel.cluster.engines:
        _fail(unit.name, f"{unit.lanes} lanes of {unit.stride} engines; there are {kernel.cluster.engines} engines")
    for k, level in enumerate(unit.levels):
        where = f"{unit.name}, level {k}"
        _check_level(level, unit.dimensions, where)
        _check_table(level, unit.features, arrays.get(level.array), where)
        place = level.placement
        if not place.engines or not all(0 <= engine < unit.stride for engine in place.engines):
            _fail(where, f"its engines are {place.engines}; they must be some of 0..{unit.stride - 1}")
        if (place.how == "split") != (len(place.engines) > 1) or not 0 <= place.turn < unit.turns:
            _fail(where, f"placed {place.how} in {len(place.engines)} engines, turn {place.turn} of {unit.turns}")
        if place.size != -(-level.entries * unit.features * level.bits // 8):
            _fail(where, f"its size is {place.size} bytes; its table has another")
        needed = 0 if place.how == "cache" else -(-place.size // len(place.engines))
        if not needed <= place.resident <= kernel.cluster.sram_bytes:
            _fail(where, f"{place.resident} bytes in each engine, of {kernel.cluster.sram_bytes}; {needed} are needed")
    _check_sram(unit, kernel.cluster.sram_bytes)


def _check_sram(unit: GridUnit, size: int) -> None:
    for engine in range(unit.stride):
        taken = sum(level.placement.resident for level in unit.levels if engine in level.placement.engines)
        if taken > size:
            _fail(unit.name, f"engine {engine} would hold {taken} bytes; its SRAM has {size}")


def _check_level(level: Level, dimensions: int, where: str) -> None:
    if not (
        math.isfinite(level.scale) and 0 <= level.scale < 1 << 20 and float(np.float32(level.scale)) == level.scale
    ):
        _fail(where, f"the scale is {level.scale}; it must be a float32 value within 0..2**20")
    if level.resolution != math.ceil(level.scale) + 1:
        _fail(where, f"the resolution is {level.resolution}; it must be the scale, rounded up, plus 1")
    vertices = level.resolution**dimensions
    _range(f"{where}: entries", level.entries, 1, 1 << 24)
    wanted = "dense" if level.entries >= vertices else level.index
    if level.index != wanted or (level.index == "dense" and level.entries < vertices):
        _fail(where, f"index {level.index} for {level.entries} entries and {vertices} vertices")
    if level.index != "hash" and vertices >= INDEX_LIMIT:
        _fail(where, f"{vertices} vertices; without a hash there must be fewer than 2**31")


def _check_table(level: Level, features: int, table: NDArray[Any] | None, where: str) -> None:
    kind = {32: np.float32, 16: np.float16}.get(level.bits, np.int8)
    if not (level.bits in {16, 32} or 2 <= level.bits <= 8):
        _fail(where, f"{level.bits} bits per value; there are 32, 16 and 2 to 8")
    if table is None or table.dtype != kind or table.shape != (level.entries, features):
        _fail(where, f"the table {level.array} is missing or no {np.dtype(kind)} ({level.entries}, {features})")
    if not (math.isfinite(level.step) and float(np.float32(level.step)) == level.step > 0):
        _fail(where, f"the step is {level.step}; it must be a positive float32 value")
    if level.bits >= 16 and level.step != 1.0:
        _fail(where, "a table of floats has the step 1.0")
    most = (1 << level.bits - 1) - 1
    if level.bits < 16 and (table.min() < -most or table.max() > most):
        _fail(where, f"a value of {level.array} is not within {-most}..{most}")


def _check_weights(weights: Weights, kernel: Kernel, arrays: Mapping[str, NDArray[Any]]) -> None:
    rows, columns = kernel.cluster.mac_inputs, kernel.cluster.mac_outputs
    _range(f"{weights.name}: inputs", weights.inputs, 1, MOST_WIDTH)
    _range(f"{weights.name}: outputs", weights.outputs, 1, MOST_WIDTH)
    tiles = -(-weights.inputs // rows) * -(-weights.outputs // columns)
    array = arrays.get(weights.array)
    if array is None or array.dtype != np.float32 or array.shape != (tiles, rows, columns):
        _fail(weights.name, f"the array {weights.array} is missing or no float32 ({tiles}, {rows}, {columns})")


def _check_preload(kernel: Kernel) -> None:
    wanted = {(unit.name, k) for unit in kernel.grids() for k in range(len(unit.levels))}
    wanted |= {(weights.name, -1) for weights in kernel.weights}
    given = [(one.unit, one.level) if isinstance(one, LoadTable) else (one.weights, -1) for one in kernel.preload]
    if len(given) != len(set(given)) or set(given) != wanted:
        _fail("preload", "every table and every layer's weights must be loaded once")


class _Program:
    """Checks commands in order; ``sums`` are the accumulators in use."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.widths = {buffer.name: buffer.width for buffer in kernel.buffers}
        self.units = {unit.name: unit for unit in kernel.units}
        self.weights = {weights.name: weights for weights in kernel.weights}
        self.written: dict[str, set[int]] = {name: set() for name in self.widths}
        self.inputs: dict[str, set[int]] = {name: set() for name in self.widths}
        """Columns of each buffer that hold inputs or copies of them."""
        self.sums = 0

    def source(self, place: Place, where: str) -> None:
        self.place(place, where)
        if not self.written[place.buffer].issuperset(range(place.start, place.start + place.count)):
            _fail(where, f"{place.buffer} is read where nothing was written")

    def target(self, place: Place, where: str, inputs: bool = False) -> None:
        self.place(place, where)
        columns = set(range(place.start, place.start + place.count))
        self.written[place.buffer] |= columns
        self.inputs[place.buffer] = (
            self.inputs[place.buffer] | columns if inputs else self.inputs[place.buffer] - columns
        )

    def are_inputs(self, place: Place) -> bool:
        return self.inputs[place.buffer].issuperset(range(place.start, place.start + place.count))

    def place(self, place: Place, where: str) -> None:
        width = self.widths.get(place.buffer)
        if width is None or place.start < 0 or place.count < 1 or place.start + place.count > width:
            _fail(where, f"there is no {place.buffer}[{place.start}:{place.start + place.count}]")

    def encode(self, command: Encode, where: str) -> None:
        unit = self.units.get(command.unit)
        if unit is None:
            _fail(where, f"there is no unit {command.unit}")
        self.source(command.source, where)
        if not self.are_inputs(command.source):
            _fail(where, "an encoding takes inputs or copies of them, which are within 0..1")
        if (command.source.count, command.target.count) != (unit.dimensions, unit.width):
            _fail(where, f"{command.unit} takes {unit.dimensions} columns and gives {unit.width}")
        self.target(command.target, where)

    def mac(self, command: Mac, where: str) -> None:
        weights, cluster = self.weights.get(command.weights), self.kernel.cluster
        if weights is None:
            _fail(where, f"there are no weights {command.weights}")
        down = -(-weights.inputs // cluster.mac_inputs)
        across = -(-weights.outputs // cluster.mac_outputs)
        _range(f"{where}: tile", command.tile, 0, down * across - 1)
        block, first = divmod(command.tile, down)
        inputs = min(cluster.mac_inputs, weights.inputs - first * cluster.mac_inputs)
        outputs = min(cluster.mac_outputs, weights.outputs - block * cluster.mac_outputs)
        self.source(command.source, where)
        if (command.source.count, command.outputs) != (inputs, outputs):
            _fail(where, f"tile {command.tile} takes {inputs} columns and has {outputs} outputs")
        if self.sums != (0 if command.first else command.outputs):
            _fail(where, "sums begin once, and are stored before the next ones begin")
        self.sums = command.outputs

    def store(self, command: Store, where: str) -> None:
        if command.target.count != self.sums:
            _fail(where, f"{command.target.count} columns for {self.sums} sums")
        self.target(command.target, where)
        self.sums = 0


def _check_program(kernel: Kernel) -> None:
    program = kernel.program
    if not program or not isinstance(program[0], Read) or not isinstance(program[-1], Write):
        _fail("program", "it must begin with read and end with write")
    state = _Program(kernel)
    for k, command in enumerate(program):
        where = f"command {k}"
        match command:
            case Read(target=target):
                if k or target.start or target.count != len(kernel.inputs):
                    _fail(where, f"read comes once, first, for {len(kernel.inputs)} columns from 0 on")
                state.target(target, where, inputs=True)
            case Encode():
                state.encode(command, where)
            case Copy(source=source, target=target):
                state.source(source, where)
                if source.count != target.count or target.buffer == source.buffer:
                    _fail(where, "a copy goes to as many columns of another buffer")
                state.target(target, where, inputs=state.are_inputs(source))
            case Mac():
                state.mac(command, where)
            case Store():
                state.store(command, where)
            case Write(source=source):
                state.source(source, where)
                if k != len(program) - 1 or source.count != len(kernel.outputs):
                    _fail(where, f"write comes once, last, for {len(kernel.outputs)} columns")
