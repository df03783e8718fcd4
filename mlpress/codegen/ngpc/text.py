"""The text form of kernels, and back: ``docs/ngpc.md`` has the grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

from mlpress.codegen.ngpc.kernel import (
    Buffer,
    Command,
    Copy,
    DirectionUnit,
    Encode,
    GridUnit,
    Kernel,
    Level,
    LoadTable,
    LoadWeights,
    Mac,
    Place,
    Placement,
    Preload,
    Read,
    Store,
    Unit,
    WaveUnit,
    Weights,
    Write,
)
from mlpress.errors import MlpressError
from mlpress.hw.ngpc import Cluster
from mlpress.ir import Line, Lines, quote

MOST_TEXT = 1 << 24
MOST_LINES = 1 << 18
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)
_PLACE = re.compile(r"([a-z][a-z0-9_]{0,31})\[([0-9]{1,6}):([0-9]{1,6})\]", re.ASCII)


def kernel_text(kernel: Kernel) -> str:
    """Return the text form of a kernel; :func:`read_kernel` gives an equal kernel back."""
    return "\n".join([*_head_lines(kernel), *map(_preload_words, kernel.preload), *_program_lines(kernel), "end", ""])


def _head_lines(kernel: Kernel) -> Iterator[str]:
    cluster = kernel.cluster
    yield "mlpress ngpc kernel 1"
    yield (
        f"cluster {quote(cluster.name)} processors {cluster.processors} engines {cluster.engines} "
        f"sram {cluster.sram_bytes} mac {cluster.mac_inputs} {cluster.mac_outputs}"
    )
    yield f"precision {kernel.precision}"
    yield f"batch {kernel.batch}"
    yield " ".join(["inputs", *map(quote, kernel.inputs)])
    yield " ".join(["outputs", *map(quote, kernel.outputs)])
    for buffer in kernel.buffers:
        yield f"buffer {buffer.name} {buffer.width}"
    for unit in kernel.units:
        yield from _unit_lines(unit)
    for weights in kernel.weights:
        yield f"weights {weights.name} inputs {weights.inputs} outputs {weights.outputs} array {weights.array}"
    yield "preload"


def _unit_lines(unit: Unit) -> Iterator[str]:
    match unit:
        case GridUnit():
            yield (
                f"grid {unit.name} dimensions {unit.dimensions} features {unit.features} lanes {unit.lanes} "
                f"stride {unit.stride} turns {unit.turns}"
            )
            for k, level in enumerate(unit.levels):
                yield _level_words(k, level)
        case DirectionUnit():
            yield f"direction {unit.name} degree {unit.degree}"
        case WaveUnit():
            yield f"waves {unit.name} dimensions {unit.dimensions} octaves {unit.octaves}"


def _level_words(number: int, level: Level) -> str:
    place = level.placement
    return (
        f"level {number} scale {level.scale!r} resolution {level.resolution} entries {level.entries} "
        f"index {level.index} table {level.array} bits {level.bits} step {level.step!r} "
        f"{place.how} turn {place.turn} engines {','.join(map(str, place.engines))} "
        f"size {place.size} resident {place.resident}"
    )


def _preload_words(command: Preload) -> str:
    match command:
        case LoadTable(unit=unit, level=level):
            return f"load {unit} {level}"
        case LoadWeights(weights=weights):
            return f"load {weights}"


def _program_lines(kernel: Kernel) -> Iterator[str]:
    yield "program"
    for command in kernel.program:
        yield command_words(command)


def _place(place: Place) -> str:
    return f"{place.buffer}[{place.start}:{place.start + place.count}]"


def command_words(command: Command) -> str:
    """Return one command of a program as a line of text."""
    match command:
        case Read(target=target):
            return f"read {_place(target)}"
        case Encode(unit=unit, source=source, target=target):
            return f"encode {unit} {_place(source)} {_place(target)}"
        case Copy(source=source, target=target):
            return f"copy {_place(source)} {_place(target)}"
        case Mac():
            order = "first" if command.first else "more"
            return f"mac {command.weights} {command.tile} {_place(command.source)} {command.outputs} {order}"
        case Store(relu=relu, target=target):
            return f"store {'relu' if relu else 'linear'} {_place(target)}"
        case Write(source=source):
            return f"write {_place(source)}"


def read_kernel(text: str) -> Kernel:
    """Read a kernel's text; still to be checked with its arrays (:func:`~mlpress.codegen.ngpc.check.check_image`).

    Raises :class:`MlpressError`, naming the line.
    """
    if len(text) > MOST_TEXT:
        raise MlpressError(f"the kernel's text has {len(text)} characters; it has at most {MOST_TEXT}")
    lines = Lines(text)
    line = lines.take("mlpress")
    line.keyword("ngpc")
    line.keyword("kernel")
    if line.integer("the format's version") != 1:
        line.fail("this version of the format is not known; this mlpress reads version 1")
    line.end()
    cluster = _read_cluster(lines.take("cluster"))
    precision = cast(Any, _only(lines.take("precision"), "float32", "float16"))
    line = lines.take("batch")
    batch = _last(line, "the batch")
    inputs, outputs = _names(lines.take("inputs")), _names(lines.take("outputs"))
    buffers = []
    while lines.next_is("buffer"):
        line = lines.take("buffer")
        buffers.append(Buffer(_name(line), _last(line, "the width")))
        _few(line, buffers)
    units: list[Unit] = []
    while any(map(lines.next_is, ("grid", "direction", "waves"))):
        line = lines.take("grid", "direction", "waves")
        units.append(_read_unit(lines, line))
        _few(line, units)
    weights = []
    while lines.next_is("weights"):
        line = lines.take("weights")
        weights.append(_read_weights(line))
        _few(line, weights)
    lines.take("preload").end()
    preload: list[Preload] = []
    while lines.next_is("load"):
        line = lines.take("load")
        preload.append(_read_load(line))
        _few(line, preload)
    lines.take("program").end()
    program: list[Command] = []
    while not lines.next_is("end"):
        line = lines.take("read", "encode", "copy", "mac", "store", "write")
        program.append(_read_command(line))
        _few(line, program)
    lines.take("end").end()
    lines.end()
    return Kernel(
        cluster=cluster,
        precision=precision,
        batch=batch,
        inputs=inputs,
        outputs=outputs,
        buffers=tuple(buffers),
        units=tuple(units),
        weights=tuple(weights),
        preload=tuple(preload),
        program=tuple(program),
    )


def _few(line: Line, found: list[Any]) -> None:
    if len(found) > MOST_LINES:
        line.fail(f"there are more than {MOST_LINES} lines of this kind")


def _only(line: Line, *choices: str) -> str:
    word = line.keyword(*choices)
    line.end()
    return word


def _last(line: Line, what: str) -> int:
    value = line.integer(what)
    line.end()
    return value


def _after(line: Line, keyword: str) -> int:
    line.keyword(keyword)
    return line.integer(keyword)


def _name(line: Line, what: str = "a name") -> str:
    word = line.word(what)
    if not _NAME.fullmatch(word):
        line.fail(f"{word[:40]!r} stands where {what} should be: a small letter, then letters, digits and _")
    return word


def _names(line: Line) -> tuple[str, ...]:
    found: list[str] = []
    while line.peek() is not None:
        found.append(line.name("a name"))
        _few(line, found)
    return tuple(found)


def _read_place(line: Line) -> Place:
    word = line.word("columns of a buffer")
    match = _PLACE.fullmatch(word)
    if match is None:
        line.fail(f"{word[:40]!r} stands where columns of a buffer should be: b0[0:3]")
    start, stop = int(match[2]), int(match[3])
    return Place(match[1], start, stop - start)


def _read_cluster(line: Line) -> Cluster:
    name = line.name("the cluster's name")
    processors, engines, sram = (_after(line, what) for what in ("processors", "engines", "sram"))
    inputs = _after(line, "mac")
    return Cluster(name, processors, engines, sram, inputs, _last(line, "the tile's outputs"))


def _read_unit(lines: Lines, line: Line) -> Unit:
    kind, name = line.words[0], _name(line)
    if kind == "direction":
        line.keyword("degree")
        return DirectionUnit(name, _last(line, "the degree"))
    dimensions = _after(line, "dimensions")
    if kind == "waves":
        line.keyword("octaves")
        return WaveUnit(name, dimensions, _last(line, "the octaves"))
    features, lanes, stride = (_after(line, what) for what in ("features", "lanes", "stride"))
    line.keyword("turns")
    turns, levels = _last(line, "the turns"), list[Level]()
    while lines.next_is("level"):
        line = lines.take("level")
        if line.integer("the level's number") != len(levels):
            line.fail(f"level {len(levels)} should stand here")
        levels.append(_read_level(line))
        _few(line, levels)
    return GridUnit(name, dimensions, features, lanes, stride, turns, tuple(levels))


def _read_level(line: Line) -> Level:
    line.keyword("scale")
    scale = line.real("the scale")
    resolution, entries = _after(line, "resolution"), _after(line, "entries")
    line.keyword("index")
    index = cast(Any, line.keyword("dense", "tiled", "hash"))
    line.keyword("table")
    array, bits = _name(line), _after(line, "bits")
    line.keyword("step")
    step = line.real("the step")
    how = cast(Any, line.keyword("fit", "split", "cache"))
    turn = _after(line, "turn")
    line.keyword("engines")
    engines = tuple(line.to_int(word, "an engine") for word in line.word("engines").split(","))
    size = _after(line, "size")
    line.keyword("resident")
    placement = Placement(how, turn, engines, size, _last(line, "the bytes in each engine"))
    return Level(scale, resolution, entries, index, array, bits, step, placement)


def _read_weights(line: Line) -> Weights:
    name, inputs, outputs = _name(line), _after(line, "inputs"), _after(line, "outputs")
    line.keyword("array")
    array = _name(line)
    line.end()
    return Weights(name, inputs, outputs, array)


def _read_load(line: Line) -> Preload:
    name = _name(line)
    return LoadWeights(name) if line.peek() is None else LoadTable(name, _last(line, "the level"))


def _read_command(line: Line) -> Command:
    command = _read_words(line)
    line.end()
    return command


def _read_words(line: Line) -> Command:
    match line.words[0]:
        case "read":
            return Read(_read_place(line))
        case "encode":
            return Encode(_name(line), _read_place(line), _read_place(line))
        case "copy":
            return Copy(_read_place(line), _read_place(line))
        case "mac":
            name, tile, source = _name(line), line.integer("the tile"), _read_place(line)
            outputs = line.integer("the number of sums")
            return Mac(name, tile, source, outputs, line.keyword("first", "more") == "first")
        case "store":
            return Store(line.keyword("relu", "linear") == "relu", _read_place(line))
        case _:
            return Write(_read_place(line))
