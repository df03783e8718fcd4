"""From an integer network or a circuit to a C99 source and its header."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from mlpress.codegen.c.cost import Estimate, packed_cost, straight_cost
from mlpress.codegen.c.dual import DUAL_MACROS
from mlpress.codegen.c.head import tournament_lines
from mlpress.codegen.c.header import header_text
from mlpress.codegen.c.looped import Sink, Style, layer_code, shared_passes, steps_line, stored, tables
from mlpress.codegen.c.matrix import Matrix, matrices
from mlpress.codegen.c.options import CFacts, COptions, CSource
from mlpress.codegen.c.packing import Packing, PassKind, packed
from mlpress.codegen.c.quantize import quantize_code
from mlpress.codegen.c.sliced import score_type as circuit_score_type
from mlpress.codegen.c.sliced import slice_function, sliced_functions
from mlpress.codegen.c.sums import KEEP_MACRO
from mlpress.codegen.c.text import FLASH_MACROS, identifier, number, store_type, type_bytes
from mlpress.codegen.c.unrolled import Work, decision_lines, layer_lines, predict_body
from mlpress.errors import MlpressError
from mlpress.hw.mcu import Core
from mlpress.ir import (
    Argmax,
    Circuit,
    Net,
    Scores,
    Threshold,
    bit_blast,
    input_intervals,
    intervals,
    lower_net,
    verify,
)

MOST_UNROLLED = 30_000
"""Terms of a layer beyond which its code is not unrolled by choice: compilers take minutes."""


ALIKE_BYTES, ALIKE_SHARE = 16, 0.01
"""Of shapes whose flash differs by no more, in bytes or as a share, the fastest is taken."""


def generate(program: Net | Circuit, core: Core, options: COptions | None = None) -> CSource:
    """Return the C99 source of ``program`` for ``core``: ``name.h`` and ``name.c``.

    The source is the same function as the program, bit for bit.  Raises :class:`MlpressError` where the shape asked
    for cannot hold the program, and for a circuit with unary inputs.
    """
    wanted = options or COptions()
    wanted = replace(wanted, name=identifier(wanted.name))
    verify(program)
    if any(feature.interface == "unary" for feature in program.inputs):
        raise MlpressError("this circuit reads comparators, and C reads codes; search with --interface binary")
    if wanted.shape == "sliced" or isinstance(program, Circuit):
        if isinstance(program, Circuit) and wanted.shape not in {"auto", "sliced"}:
            raise MlpressError(f"a circuit has no {wanted.shape} code; ask for shape sliced or auto")
        return _sliced(program, core, wanted)
    shapes = [wanted.shape] if wanted.shape != "auto" else _candidates(program, core)
    made = [_shaped(program, core, wanted, shape) for shape in shapes]
    if wanted.most_cycles:
        most = max(wanted.most_cycles, min(one.facts.cycles for one in made))
        made = [one for one in made if one.facts.cycles <= most]
    if wanted.minimise == "flash":  # a few bytes are not worth many times the cycles
        least = min(one.facts.flash for one in made)
        made = [one for one in made if one.facts.flash <= least + max(ALIKE_BYTES, ALIKE_SHARE * least)]
    return min(made, key=lambda one: one.facts.cycles)


def _candidates(net: Net, core: Core) -> list[str]:
    terms = max(sum(len(neuron.terms) for neuron in layer.neurons) for layer in net.layers)
    found = ["looped"] if any(matrices(net)) or terms > MOST_UNROLLED else []
    if any(matrices(net)):
        found.append("listed")
    if terms <= MOST_UNROLLED:
        found.append("unrolled")
    if core.multiplier and any(matrices(net)):
        found.append("coded")
    if core.dsp and any(matrices(net)):
        found.append("dsp")
    return found


@dataclass(slots=True)
class _Parts:
    """The text of a source while it grows."""

    tables: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    bytes: int = 0
    others: int = 0
    cost: Estimate = field(default_factory=lambda: Estimate(0, 0))
    layers: list[str] = field(default_factory=list)
    layer_cycles: list[int] = field(default_factory=list)


def _code_type(program: Net | Circuit) -> str:
    return store_type(max((1 << feature.bits) - 1 for feature in program.inputs))


def _score_type(net: Net) -> str:
    reach = max(max(abs(total.low), abs(total.high)) for total in intervals(net)[-1].sums)
    return "int32_t" if reach <= 0x7FFFFFFF else "int64_t"


def _shaped(net: Net, core: Core, options: COptions, shape: str) -> CSource:
    parts = _Parts()
    decides = not isinstance(net.head, Scores)
    scores = options.scores or not decides
    if shape == "unrolled":
        _unrolled(net, core, options, parts, decides, scores)
    else:
        _looped(net, core, options, parts, decides, scores, shape)
    score = _score_type(net) if scores else None
    code = _code_type(net)
    quantize = quantize_code(net, options.name, code)
    lines = _preamble(options.name, shape, core)
    if any(layer.startswith("dsp") for layer in parts.layers):
        lines += [*DUAL_MACROS.splitlines(), ""]
    if quantize.keep or any(layer.startswith(("unrolled", "shifted", "listed")) for layer in parts.layers):
        lines += [*KEEP_MACRO.splitlines(), ""]
    text = "\n".join([*lines, *parts.tables, *parts.functions, *quantize.lines])
    files = {
        f"{options.name}.h": header_text(net, options.name, code, score, decides, None),
        f"{options.name}.c": text,
    }
    facts = CFacts(
        tuple(parts.layers), parts.bytes, parts.others, parts.cost.flash, parts.cost.cycles, tuple(parts.layer_cycles)
    )
    outputs = len(net.layers[-1].neurons)
    return CSource(files, options.name, shape, code, score, len(net.inputs), outputs, decides, facts)


def _preamble(name: str, shape: str, core: Core) -> list[str]:
    return [
        f"/* Generated by mlpress: {shape} code, made for {core.name}; any C99 compiler will do. */",
        f'#include "{name}.h"',
        "",
        *FLASH_MACROS.splitlines(),
        "",
    ]


def _unrolled(net: Net, core: Core, options: COptions, parts: _Parts, decides: bool, scores: bool) -> None:
    name, code = options.name, _code_type(net)
    if decides:
        body = predict_body(lower_net(net).plan, f"{name}_p", keep=not core.multiplier)
        parts.tables += body.tables
        parts.others += body.work.tables
        parts.cost = straight_cost(body.work, core)
        unused = [] if body.work.loads else ["    (void)x;"]
        parts.functions += [
            f"int {name}_predict(const {code} x[{len(net.inputs)}])",
            "{",
            *body.lines,
            *unused,
            "}",
            "",
        ]
    parts.layers = ["unrolled"] * len(net.layers)
    if scores:
        kind = _score_type(net)
        lines, tables_, works = _straight_scores(net, name, kind, keep=not core.multiplier)
        parts.layer_cycles = [straight_cost(work, core).cycles for work in works]
        parts.tables += tables_
        if not decides:
            parts.cost = straight_cost(_sum(works), core)
        head = f"void {name}_scores(const {code} x[{len(net.inputs)}], {kind} scores[{len(net.layers[-1].neurons)}])"
        parts.functions += [head, "{", *lines, "}", ""]


def _sum(works: list[Work]) -> Work:
    whole = Work()
    for work in works:
        for name in ("adds", "shifts", "loads", "compares", "tables"):
            setattr(whole, name, getattr(whole, name) + getattr(work, name))
    return whole


def _straight_scores(net: Net, name: str, kind: str, keep: bool) -> tuple[list[str], list[str], list[Work]]:
    """Return the body of an unrolled ``_scores``, its tables, and its work by layer."""
    lines: list[str] = []
    tables_: list[str] = []
    works: list[Work] = []
    source = "x"
    ranges = input_intervals(net)
    for index, (layer, known) in enumerate(zip(net.layers, intervals(net), strict=True)):
        body, outputs = layer_lines(layer, known, [one.high for one in ranges], source, index, f"{name}_s{index}", keep)
        tables_ += body.tables
        works.append(body.work)
        if index == 0 and not body.work.loads:
            lines.append("    (void)x;")
        if index < len(net.layers) - 1:
            word = store_type(max(one.high for one in known.outputs))
            source = f"h{index}"
            lines.append(f"    {word} {source}[{len(outputs)}];")
            lines += body.lines
            lines += [f"    {source}[{j}] = ({word}){value};" for j, (_, value) in enumerate(outputs)]
            lines.append(f"    (void){source};")
        else:
            lines += body.lines
            lines += [f"    scores[{j}] = ({kind}){value};" for j, (_, value) in enumerate(outputs)]
        ranges = known.outputs
    return lines, tables_, works


def _pass_kind(core: Core, shape: str) -> PassKind:
    if shape == "dsp" and core.multiplier and core.word == 32:
        return "dsp"
    if core.word == 8:
        return "bytes"
    return "multiplied" if core.multiplier else "bitwise"


def _looped(net: Net, core: Core, options: COptions, parts: _Parts, decides: bool, scores: bool, shape: str) -> None:
    """Fill ``parts`` with loops; layers that are no matrix are unrolled."""
    name = options.name
    style = Style(core.multiplier, options.skip_zeros, options.minimise == "cycles")
    kind, ranges = _code_type(net), input_intervals(net)
    packs: list[Packing | None] = [None if one is None else _layout(one, core, shape, options) for one in matrices(net)]
    needed: list[tuple[Packing, str, int]] = []
    source = "x"
    calls: list[str] = []
    for index, (layer, known) in enumerate(zip(net.layers, intervals(net), strict=True)):
        packing = packs[index]
        top = max(max(one.high for one in ranges).bit_length(), 1)
        prefix = f"{name}_l{index}"
        before = parts.cost.cycles
        if packing is not None:
            lines, size, rest = tables(packing, prefix)
            parts.tables += lines
            parts.bytes += size
            parts.others += rest
            needed.append((packing, kind, top))
            parts.layers.append(_described(packing))
            parts.cost = parts.cost.plus(packed_cost(packing, core, top, not style.inline))
        else:
            parts.layers.append("unrolled")
        out = store_type(max(0, *(one.high for one in known.outputs)))
        if index < len(net.layers) - 1:
            target = f"h{index}"
            body = _hidden(net, index, packing, prefix, kind, top, style, out, parts, core)
            unused = [] if any("x" in line for line in body) else ["    (void)x;"]
            parts.functions += [f"static void {prefix}(const {kind} *x, {out} *y)", "{", *body, *unused, "}", ""]
            count = len(layer.neurons) if packing is None else stored(packing)
            calls += [f"    {out} {target}[{count}];", f"    {prefix}({source}, {target});"]
            source, kind, ranges = target, out, known.outputs
        else:
            ends = _ends(net, index, packing, prefix, source, kind, top, style, parts, core, decides, scores)
        parts.layer_cycles.append(parts.cost.cycles - before)
    declared = [line for line in calls if not line.lstrip().startswith(name)]
    called = [line for line in calls if line.lstrip().startswith(name)]
    if needed:
        parts.functions = shared_passes(needed, name, style) + parts.functions
    code = _code_type(net)
    for head, lines in ends:
        unused = [] if called or any(source in line for line in lines) else [f"    (void){source};"]
        parts.functions += [head.replace("CODE", code), "{", *declared, *called, *unused, *lines, "}", ""]


def _layout(matrix: Matrix, core: Core, shape: str, options: COptions) -> Packing | None:
    small = options.minimise == "flash"
    accumulators = options.accumulators or core.accumulators
    if shape == "coded" and core.multiplier:
        return packed(matrix, accumulators, "coded")
    if shape == "listed":
        return packed(matrix, accumulators, "listed", narrow=core.word == 8)
    kind = _pass_kind(core, shape)
    top = max(max(matrix.high).bit_length(), 1)
    kinds: list[PassKind] = ["dsp", "multiplied"] if kind == "dsp" else [kind]
    if kind == "multiplied" and not small:
        kinds = ["paired", "multiplied"]
    if kind == "bitwise":
        kinds = ["shifted", "bitwise"]
    found = [packed(matrix, accumulators, one, small) for one in kinds]
    if kind == "dsp":
        return found[0] or found[1]
    made = [one for one in found if one is not None]
    return min(made, key=lambda one: packed_cost(one, core, top, small)[:: 1 if small else -1], default=None)


def _described(packing: Packing) -> str:
    m = packing.matrix
    match packing.kind:
        case "multiplied" | "bitwise":
            return f"{packing.kind}, {m.bits}-bit weights, {packing.lanes} sums a register"
        case "paired":
            return "multiplied, ready pairs of 16-bit weights, 2 sums a register"
        case "shifted":
            return f"shifted, {m.bits}-bit codes of powers of two"
        case "coded":
            return "multiplied, weights in a Rice code"
        case "listed":
            return f"listed, {packing.lists.powers} powers of two"
        case "bytes" | "dsp":
            return f"{packing.kind}, 8-bit weights"


def _hidden(
    net: Net,
    index: int,
    packing: Packing | None,
    prefix: str,
    kind: str,
    top: int,
    style: Style,
    out: str,
    parts: _Parts,
    core: Core,
) -> list[str]:
    """Return the body of a hidden layer's function, from ``x`` to ``y``."""
    known = intervals(net)
    if packing is not None:
        sink = Sink("store", "y", out)
        return [*steps_line(packing, prefix), *layer_code(packing, prefix, "x", kind, top, style, sink)]
    ranges = input_intervals(net) if index == 0 else known[index - 1].outputs
    highs, keep = [one.high for one in ranges], not core.multiplier
    body, outputs = layer_lines(net.layers[index], known[index], highs, "x", index, prefix, keep)
    parts.tables += body.tables
    parts.others += body.work.tables
    parts.cost = parts.cost.plus(straight_cost(body.work, core, stored=True))
    unused = [] if body.work.loads else ["    (void)x;"]
    return [*body.lines, *unused, *[f"    y[{j}] = ({out}){value};" for j, (_, value) in enumerate(outputs)]]


def _ends(
    net: Net,
    index: int,
    packing: Packing | None,
    prefix: str,
    source: str,
    kind: str,
    top: int,
    style: Style,
    parts: _Parts,
    core: Core,
    decides: bool,
    scores: bool,
) -> list[tuple[str, list[str]]]:
    """Return the heads and the last lines of ``_predict`` and ``_scores``."""
    name, inputs, outputs = prefix.rsplit("_", 1)[0], len(net.inputs), len(net.layers[-1].neurons)
    score = _score_type(net)
    functions: list[tuple[str, list[str]]] = []
    if packing is None:
        known = intervals(net)
        ranges = input_intervals(net) if index == 0 else known[index - 1].outputs
        highs = [one.high for one in ranges]
        body, values = layer_lines(
            net.layers[index], known[index], highs, source, index, prefix, keep=not core.multiplier
        )
        parts.cost = parts.cost.plus(straight_cost(body.work, core, stored=True))
        if decides:
            words = decision_lines(net, [f"(({score}){value})" for _, value in values], score, 8 * type_bytes(score))
            used = [f"    (void){value};" for _, value in values if not value.lstrip("-").isdigit()]
            functions.append((f"int {name}_predict(const CODE x[{inputs}])", [*body.lines, *used, *words]))
        if scores:
            stores = [f"    scores[{j}] = ({score}){value};" for j, (_, value) in enumerate(values)]
            functions.append(
                (f"void {name}_scores(const CODE x[{inputs}], {score} scores[{outputs}])", [*body.lines, *stores])
            )
        return functions
    if decides:
        head = f"int {name}_predict(const CODE x[{inputs}])"
        functions.append((head, _decided(net, packing, prefix, source, kind, top, style)))
    if scores:
        code = layer_code(packing, prefix, source, kind, top, style, Sink("scores", "scores", score))
        functions.append((f"void {name}_scores(const CODE x[{inputs}], {score} scores[{outputs}])", code))
    return functions


def _decided(net: Net, packing: Packing, prefix: str, source: str, kind: str, top: int, style: Style) -> list[str]:
    word = packing.word
    outputs = len(net.layers[-1].neurons)
    match net.head:
        case Argmax(ranges=()):
            small = "uint_fast8_t" if outputs < 256 else "unsigned"
            start = [f"    {word} best = 0u;", f"    {small} winner = 0u;", f"    {small} index = 0u;"]
            sink = Sink("argmax", "", word)
            return [*start, *layer_code(packing, prefix, source, kind, top, style, sink), "    return (int)winner;"]
        case Threshold(at=at):
            (total,) = packing.matrix.sums
            if not total.low < at <= total.high:
                return [f"    (void){source};", f"    return {int(at <= total.low)};"]
            code = layer_code(packing, prefix, source, kind, top, style, Sink("threshold", "", word))
            limit = at + packing.offset
            return [f"    {word} best = 0u;", *code, f"    return (best >= {number(limit)}u) ? 1 : 0;"]
        case Argmax(ranges=windows):
            score = _score_type(net)
            code = layer_code(packing, prefix, source, kind, top, style, Sink("scores", "out", score))
            from mlpress.codegen.c.head import Score

            names = [Score(k, f"scores[{k}]") for k in range(outputs)]
            start = [f"    {score} scores[{outputs}];", f"    {score} *out = scores;"]
            return [*start, *code, *tournament_lines(names, windows, 8 * type_bytes(score))]
        case _:
            raise AssertionError("a regression has no class")


def _sliced(program: Net | Circuit, core: Core, options: COptions) -> CSource:
    circuit = program if isinstance(program, Circuit) else bit_blast(program)
    name, code = options.name, _code_type(program)
    lines, operations = slice_function(circuit, name)
    functions = sliced_functions(circuit, name, code)
    decides = circuit.scores is None
    score = None if decides else circuit_score_type(circuit)
    many = None if not decides else ("uint8_t" if len(circuit.classes) <= 256 else "uint16_t")
    quantize = quantize_code(program, name, code)
    keep = [*KEEP_MACRO.splitlines(), ""] if quantize.keep else []
    text = "\n".join([*_preamble(name, "bit-sliced", core), *keep, *lines, *functions, *quantize.lines])
    files = {f"{name}.h": header_text(program, name, code, score, decides, many), f"{name}.c": text}
    cost = straight_cost(Work(adds=2 * operations, loads=circuit.input_bits), core)
    facts = CFacts(("sliced",), 0, 0, cost.flash, cost.cycles)
    return CSource(files, name, "sliced", code, score, len(circuit.inputs), len(circuit.outputs), decides, facts)
