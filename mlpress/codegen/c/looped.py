"""Looped code: weights in packed tables, several outputs a pass (see ``packing``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mlpress.codegen.c.coded import rice, sum_function, sum_lines
from mlpress.codegen.c.dual import dual_lines
from mlpress.codegen.c.listed import list_function, listed_lines, powers_lines
from mlpress.codegen.c.packing import Group, Packing
from mlpress.codegen.c.shifted import shifted_lines
from mlpress.codegen.c.text import read, store_type, table, type_bytes
from mlpress.ir import Ladder, QRelu


@dataclass(frozen=True, slots=True)
class Style:
    """How loops are written for a core: whether it multiplies, whether zero inputs are skipped, and whether
    the inner loop stands in every layer (fast) or is a function (small)."""

    multiplier: bool
    skip_zeros: bool
    inline: bool


def pass_name(prefix: str, packing: Packing, group: Group, kind: str, top: int) -> str:
    """Return the name of the function that computes a group over inputs of the C type ``kind`` of ``top`` bits."""
    bits, width = packing.matrix.bits, 8 * type_bytes(kind)
    match packing.kind:
        case "coded":
            return f"{prefix}_{kind}"
        case "listed":
            return f"{prefix}_lists_{kind}_{group.size}_{8 * type_bytes(packing.word)}"
        case "bytes":
            return f"{prefix}_bytes_{group.sums}_{width}_{8 * type_bytes(packing.word)}"
        case "dsp":
            return f"{prefix}_dsp_{group.sums}_{packing.matrix.inputs % 4}"
        case "paired":
            return f"{prefix}_pairs_{group.words}_{width}"
        case "shifted":
            return f"{prefix}_shifts{group.size}x{group.words}_{group.sums}_{bits}_{width}_{packing.codes.reach}"
        case "multiplied":
            least = f"{packing.matrix.base}".replace("-", "m")
            return f"{prefix}_pass{group.size}x{group.words}_{group.sums}_{bits}_{group.lanes}_{width}_{least}"
        case "bitwise":
            least = f"{packing.matrix.base}".replace("-", "m")
            return f"{prefix}_bits{group.size}x{group.words}_{group.sums}_{bits}_{group.lanes}_{width}_{top}_{least}"


def pass_lines(name: str, packing: Packing, group: Group, kind: str, top: int, style: Style) -> list[str]:
    """Return the function that adds the products of a group.

    ``sum`` gets the registers, and the sum of the inputs behind them where weights are stored as distances.
    """
    sums = [f"a{k}" for k in range(group.sums)]
    ends = [f"    sum[{k}] = {one};" for k, one in enumerate([*sums, "s"] if _has_total(packing, style) else sums)]
    pointer = f"const {packing.element(group)} *w, {packing.word} *sum"
    head = f"static void {name}(const {kind} *x, const {kind} *stop, {pointer})"
    return [head, "{", *pass_body(packing, group, kind, top, style, "x", "stop"), *ends, "}", ""]


def _centred(packing: Packing, style: Style) -> bool:
    """Return whether the least weight is taken off in the inner loop, which is smaller, rather than from sums."""
    return packing.kind == "multiplied" and not style.inline and packing.matrix.step == 1


def _has_total(packing: Packing, style: Style) -> bool:
    """Return whether a pass also finds the sum of its inputs."""
    return packing.kind in {"multiplied", "bitwise"} and not _centred(packing, style)


def pass_body(packing: Packing, group: Group, kind: str, top: int, style: Style, start: str, stop: str) -> list[str]:
    """Return the lines that leave the sums of a group in ``a0``, ``a1``, ..., and in ``s`` the sum of the inputs.

    ``start`` and ``stop`` are the ends of the inputs; ``w`` points to the group's elements.
    """
    bits = packing.matrix.bits
    lines = [
        f"    const {kind} *p = {start};",
        *[f"    {packing.word} a{k} = 0u;" for k in range(group.sums)],
        *(["    uint32_t s = 0u;"] if _has_total(packing, style) else []),
    ]
    match packing.kind:
        case "coded" | "listed":
            raise AssertionError("the weights of one neuron are read by a function")
        case "paired":
            body = _paired(group, style.skip_zeros, stop)
        case "multiplied":
            less = packing.excess if _centred(packing, style) else None
            body = _multiplied(group, bits, style.skip_zeros, stop, less)
        case "bitwise":
            body = _bitwise(packing, group, top, start, stop)
        case "shifted":
            loads = _loads(group, "w", "", advance=False)
            body = shifted_lines(packing.codes, loads, group.sums, group.words, style.skip_zeros, stop)
        case "bytes":
            body = _bytewise(packing, group, kind, style.skip_zeros, stop)
        case "dsp":
            body = dual_lines(group.sums, packing.matrix.inputs % 4, packing.matrix.inputs >= 4, stop)
    return [*lines, *body]


def _paired(group: Group, skip: bool, stop: str) -> list[str]:
    pad = "    " if skip else ""
    places = ["w", *[f"&w[{k}]" for k in range(1, group.words)]]
    return [
        "    do {",
        "        const uint32_t v = *p++;",
        *(["        if (v != 0u) {"] if skip else []),
        *[f"        {pad}a{k} += (uint32_t){read('uint32_t', place)} * v;" for k, place in enumerate(places)],
        *(["        }"] if skip else []),
        f"        w += {group.words};",
        f"    }} while (p != {stop});",
    ]


def _bytewise(packing: Packing, group: Group, kind: str, skip: bool, stop: str) -> list[str]:
    word = packing.word
    signed = "int16_t" if kind == "uint8_t" and word == "uint16_t" else "int32_t"
    pad = "    " if skip else ""
    products = []
    for k in range(group.sums):
        weight = f"({signed})(int8_t)(uint8_t)(t >> {8 * k})" if k else f"({signed})(int8_t)(uint8_t)t"
        products.append(f"        {pad}a{k} = ({word})(a{k} + ({word})(({signed})v * {weight}));")
    element = f"uint{group.size}_t"
    return [
        "    do {",
        f"        const {kind} v = *p;",
        *(["        if (v != 0u) {"] if skip else []),
        f"        {pad}const {element} t = {read(element, 'w')};",
        *products,
        *(["        }"] if skip else []),
        "        ++p;",
        "        ++w;",
        f"    }} while (p != {stop});",
    ]


def _loads(group: Group, pointer: str, indent: str, advance: bool) -> list[str]:
    element = f"uint{group.size}_t"
    lines = []
    for k in range(group.words):
        place = f"{pointer}++" if advance else (pointer if k == 0 else f"&{pointer}[{k}]")
        place = f"&{pointer}[{k}]" if advance and group.words > 1 else place
        value = f"(uint32_t){read(element, pointer if advance and group.words == 1 else place)}"
        spread = 16 - group.size // 2 if group.lanes == 2 else 0
        if group.lanes == 4 and group.size < 32:
            lines.append(f"{indent}const uint32_t r{k} = {value};")
            part = group.size // 4
            words = [f"((r{k} & {((1 << part) - 1) << (part * j)}u) << {(8 - part) * j})" for j in range(4)]
            lines.append(f"{indent}const uint32_t t{k} = {' | '.join(words)};")
        elif spread:
            lines.append(f"{indent}const uint32_t r{k} = {value};")
            lines.append(f"{indent}const uint32_t t{k} = r{k} | (r{k} << {spread});")
        else:
            lines.append(f"{indent}const uint32_t t{k} = {value};")
    if advance:
        lines.append(f"{indent}{pointer} += {group.words};" if group.words > 1 else f"{indent}++{pointer};")
    return lines


def _field(group: Group, bits: int, index: int) -> str:
    word, field = divmod(index, group.fields)
    mask = sum(((1 << bits) - 1) << (lane * (32 // group.lanes)) for lane in range(group.lanes))
    moved = f"t{word}" if field == 0 else f"(t{word} >> {field * bits})"
    if group.lanes == 1 and (field + 1) * bits == group.size:
        return moved
    return f"({moved} & 0x{mask:X}u)"


def _multiplied(group: Group, bits: int, skip: bool, stop: str, less: int | None) -> list[str]:
    fields = [_field(group, bits, k) for k in range(group.sums)]
    if less:
        fields = [f"({one} - 0x{less:X}u)" for one in fields]
    products = [f"a{k} += {one} * v;" for k, one in enumerate(fields)]
    total = ["s += v;"] if less is None else []
    if skip:
        advance = f"        w += {group.words};"
        inner = [f"            {line}" for line in [*total, *products]]
        loads = _loads(group, "w", "            ", advance=False)
        return [
            "    do {",
            "        const uint32_t v = *p++;",
            "        if (v != 0u) {",
            *loads,
            *inner,
            "        }",
            advance,
            f"    }} while (p != {stop});",
        ]
    return [
        "    do {",
        "        const uint32_t v = *p++;",
        *_loads(group, "w", "        ", advance=True),
        *[f"        {line}" for line in [*total, *products]],
        f"    }} while (p != {stop});",
    ]


def _bitwise(packing: Packing, group: Group, top: int, start: str, stop: str) -> list[str]:
    added = [f"                a{k} += {_field(group, packing.matrix.bits, k)};" for k in range(group.sums)]
    sums = [f"a{k}" for k in range(group.sums)]
    if packing.excess:
        sums.append("s")
        added.append(f"                s += 0x{packing.excess:X}u;")
    return [
        f"    uint32_t bit = {1 << (top - 1)}u;",
        "    do {",
        f"        const uint{group.size}_t *q = w;",
        f"        p = {start};",
        *[f"        {one} += {one};" for one in sums],
        "        do {",
        "            if ((*p & bit) != 0u) {",
        *_loads(group, "q", "                ", advance=False),
        *added,
        "            }",
        "            ++p;",
        f"            q += {group.words};",
        f"        }} while (p != {stop});",
        "        bit >>= 1;",
        "    } while (bit != 0u);",
    ]


def times(value: str, factor: int) -> str:
    """Return ``value * factor`` modulo 2**32; compilers make a shift of a power of two."""
    return value if factor == 1 else f"({value} * 0x{factor & 0xFFFFFFFF:X}u)"


@dataclass(frozen=True, slots=True)
class Sink:
    """Where a layer's sums go: ``store`` into codes at ``out``, ``argmax`` into best and winner, or ``scores``."""

    kind: str
    out: str
    type_: str


def tables(packing: Packing, prefix: str) -> tuple[list[str], int, int]:
    """Return the tables of a layer, and the bytes of its weights and of its biases and thresholds."""
    lines: list[str] = []
    size = rest = 0
    for number_, groups in enumerate(_runs(packing)):
        elements = [value for group in groups for value in packing.elements(group)]
        biases = [value for group in groups for value in packing.biases(group)]
        shape = packing.groups[groups[0]][0]
        lines += table(packing.element(shape), f"{prefix}_w{number_}", elements)
        lines += table(packing.bias_word, f"{prefix}_b{number_}", biases)
        size += len(elements) * shape.size // 8
        rest += type_bytes(packing.bias_word) * len(biases)
    if isinstance(packing.matrix.activation, Ladder):
        steps, kind = _ladder(packing)
        lines += table(kind, f"{prefix}_steps", steps)
        rest += len(steps) * type_bytes(kind)
    return lines, size, rest


def _ladder(packing: Packing) -> tuple[list[int], str]:
    top = packing.matrix.high_sum + packing.offset + 1
    steps = [min(max(t + packing.offset, 0), top) for row in packing.matrix.thresholds for t in row]
    unused = (stored(packing) - packing.matrix.outputs) * len(packing.matrix.thresholds[0])
    return steps + [top] * unused, store_type(max(steps, default=0) if not unused else max(*steps, top))


def _runs(packing: Packing) -> list[list[int]]:
    """Return the groups, by index, that one loop computes: neighbours of the same shape."""
    runs: list[list[int]] = []
    for index, (shape, _) in enumerate(packing.groups):
        if runs and packing.groups[runs[-1][0]][0] == shape:
            runs[-1].append(index)
        else:
            runs.append([index])
    return runs


def layer_code(packing: Packing, prefix: str, source: str, kind: str, top: int, style: Style, sink: Sink) -> list[str]:
    """Return the lines that compute a layer from the codes ``source`` of the C type ``kind``.

    Codes are stored for whole groups of a loop: the array behind ``out`` has room for :func:`stored` of them.
    """
    lines: list[str] = []
    for number_, groups in enumerate(_runs(packing)):
        shape = packing.groups[groups[0]][0]
        lines += [
            "    {",
            *(["        uint32_t at = 0u;"] if packing.kind == "coded" else []),
            f"        const {packing.element(shape)} *w = {prefix}_w{number_};",
            f"        const {packing.bias_word} *b = {prefix}_b{number_};",
        ]
        if not style.inline and packing.kind not in {"coded", "listed"}:
            lines.append(f"        {packing.word} sum[{shape.sums + _has_total(packing, style)}];")
        odd = min(packing.matrix.outputs - packing.groups[groups[-1]][1], shape.neurons)
        whole = len(groups) > 1 and (odd == shape.neurons or sink.kind == "store" or _harmless(packing, sink))
        looped = len(groups) if whole else len(groups) - 1
        one = _group_lines(packing, prefix, shape, (source, kind, top), style, sink, shape.neurons)
        step = packing.step(shape) if not style.inline or packing.kind == "bitwise" else 0
        onward = [*([f"    w += {step};"] if step else []), f"    b += {shape.sums};"]
        if looped > 1:
            counter = "uint_fast8_t" if looped <= 0xFF else "uint_fast16_t"
            lines += [f"        {counter} pass = {looped}u;", "        do {"]
            lines += [f"        {line}" for line in [*one, *onward, "    --pass;"]]
            lines.append("        } while (pass != 0u);")
        elif looped == 1:
            lines += ["        {", *[f"        {line}" for line in [*one, *onward]], "        }"]
        if not whole:
            one = _group_lines(packing, prefix, shape, (source, kind, top), style, sink, odd)
            lines += ["        {", *[f"        {line}" for line in one], "        }"]
        lines.append("    }")
    return lines


def stored(packing: Packing) -> int:
    """Return how many codes a layer stores: its neurons, rounded up to whole groups where a loop ends with them."""
    runs = _runs(packing)
    shape, first = packing.groups[-1]
    return first + shape.neurons if len(runs[-1]) > 1 else packing.matrix.outputs


def _harmless(packing: Packing, sink: Sink) -> bool:
    """Return whether places without a neuron have the score 0, which wins no argmax."""
    m = packing.matrix
    zero = packing.kind in {"paired", "bytes", "dsp"} or (
        packing.kind != "shifted" and m.base <= 0 and -m.base % m.step == 0 and -m.base // m.step < 1 << m.bits
    )
    return sink.kind == "argmax" and zero


def _group_lines(
    packing: Packing, prefix: str, shape: Group, inputs: tuple[str, str, int], style: Style, sink: Sink, count: int
) -> list[str]:
    """Return the lines of one group, of which ``count`` neurons are wanted."""
    source, kind, top = inputs
    first = packing.matrix.skipped
    stop = f"&{source}[{first + packing.matrix.inputs}]"
    source = f"&{source}[{first}]" if first else source
    if packing.kind == "coded":
        split = f"{rice(packing.matrix)[0]}u"
        if style.inline:
            summed = sum_lines(kind, source, stop, "at", split)
            return [*summed, "    {", *_register(packing, prefix, "sum", "0", 1, sink, style), "    }"]
        call = f"{prefix.rsplit('_', 1)[0]}_{kind}({source}, {stop}, w, &at, {split})"
        return _register(packing, prefix, call, "0", 1, sink, style)
    if packing.kind == "listed":
        made = packing.lists
        if style.inline:
            summed = listed_lines(made, packing.word, kind, source)
            return [*summed, "    {", *_register(packing, prefix, "sum", "0", 1, sink, style), "    }"]
        name = pass_name(prefix.rsplit("_", 1)[0], packing, shape, kind, top)
        powers = "powers" if made.powers > 1 else "1u"
        read_first = [f"    {line}" for line in powers_lines(made)]
        return [*read_first, *_register(packing, prefix, f"{name}({source}, &w, {powers})", "0", 1, sink, style)]
    if style.inline:
        lines = pass_body(packing, shape, kind, top, style, source, stop)
    else:
        lines = [f"    {pass_name(prefix.rsplit('_', 1)[0], packing, shape, kind, top)}({source}, {stop}, w, sum);"]
    moved = packing.excess and not _centred(packing, style)
    if moved:
        total = "s" if style.inline else f"sum[{shape.sums}]"
        product = total if packing.kind == "bitwise" else times(total, packing.excess)
        lines.append(f"    const uint32_t z = {product};")
    elif style.inline and _has_total(packing, style):
        lines.append("    (void)s;")
    whole, rest = divmod(count, packing.lanes)
    if style.inline:
        for k in range(whole + (rest > 0)):
            lanes = packing.lanes if k < whole else rest
            lines += ["    {", *_register(packing, prefix, f"a{k}", str(k), lanes, sink, style), "    }"]
        unused = range(whole + (rest > 0), shape.sums)
        return [*lines, *[f"    (void)a{k};" for k in unused]]
    lines += ["    {", "        uint_fast8_t j = 0u;"]
    if whole:
        body = _register(packing, prefix, "sum[j]", "j", packing.lanes, sink, style)
        lines += [
            "        do {",
            *[f"    {line}" for line in [*body, "        ++j;"]],
            f"        }} while (j != {whole}u);",
        ]
    if rest:
        body = _register(packing, prefix, "sum[j]", "j", rest, sink, style)
        lines += ["        {", *[f"    {line}" for line in body], "        }"]
    return [*lines, "    }"]


def _register(
    packing: Packing, prefix: str, register: str, index: str, lanes: int, sink: Sink, style: Style
) -> list[str]:
    """Return the lines that turn the first ``lanes`` sums of a register into outputs."""
    place = f"&b[{index}]" if index != "0" else "b"
    if packing.kind == "shifted":
        register = f"(({register} & 0xFFFFu) - ({register} >> 16))"
    word = f"({packing.word}){read(packing.bias_word, place)} + {times(register, packing.factor)}"
    word += " - z" if packing.excess and not _centred(packing, style) else ""
    word = f"(uint16_t)({word})" if packing.word == "uint16_t" else word
    if not style.inline and lanes > 1 and lanes == packing.lanes:
        mask = f"(u & 0x{(1 << packing.stride) - 1:X}u)"
        return [
            f"        uint32_t u = {word};",
            f"        uint_fast8_t lane = {lanes}u;",
            "        do {",
            *[f"            {line}" for line in _emit(packing, prefix, mask, sink)],
            f"            u >>= {packing.stride};",
            "            --lane;",
            "        } while (lane != 0u);",
        ]
    lines = [f"        const {packing.word} u = {word};"]
    for lane in range(lanes):
        move = f"(u >> {lane * packing.stride})" if lane else "u"
        value = move if lane == packing.lanes - 1 else f"({move} & 0x{(1 << packing.stride) - 1:X}u)"
        lines += [f"        {line}" for line in _emit(packing, prefix, value, sink)]
    return lines


def _emit(packing: Packing, prefix: str, value: str, sink: Sink) -> list[str]:
    match sink.kind:
        case "store":
            return _stored(packing, prefix, value, sink)
        case "argmax":
            return [
                "{",
                f"    const {packing.word} score = {value};",
                "    if (score > best) {",
                "        best = score;",
                "        winner = index;",
                "    }",
                "    ++index;",
                "}",
            ]
        case "threshold":
            return [f"best = {value};"]
        case _:
            moved = f"({sink.type_}){value}"
            less = f" - {packing.offset}" if packing.offset else ""
            return [f"*{sink.out} = {moved}{less};", f"++{sink.out};"]


def _stored(packing: Packing, prefix: str, value: str, sink: Sink) -> list[str]:
    match packing.matrix.activation:
        case QRelu(shift=shift, bits=bits):
            moved = f"({value} >> {shift})" if shift else value
            zero = packing.offset >> shift
            top = (1 << bits) - 1
            cast = "(uint16_t)" if packing.word == "uint16_t" else ""
            lines = ["{", f"    {packing.word} code = {cast}{moved};"]
            if zero:
                lines.append(f"    code = {cast}((code > {zero}u) ? (code - {zero}u) : 0u);")
            if packing.matrix.high_sum >> shift > top:
                lines.append(f"    code = {cast}((code > {top}u) ? {top}u : code);")
            return [*lines, f"    *{sink.out} = ({sink.type_})code;", f"    ++{sink.out};", "}"]
        case Ladder():
            _, kind = _ladder(packing)
            count = len(packing.matrix.thresholds[0])
            return [
                "{",
                f"    const {packing.word} score = {value};",
                "    uint32_t code = 0u;",
                "    unsigned k;",
                f"    for (k = 0u; k < {count}u; ++k) {{",
                f"        code += (score >= {read(kind, 'steps')}) ? 1u : 0u;",
                "        ++steps;",
                "    }",
                f"    *{sink.out} = ({sink.type_})code;",
                f"    ++{sink.out};",
                "}",
            ]
        case _:
            raise AssertionError("a raw sum is not stored as a code")


def steps_line(packing: Packing, prefix: str) -> list[str]:
    """Return the declaration of the pointer into the ladders' table, where the layer has ladders."""
    if not isinstance(packing.matrix.activation, Ladder):
        return []
    return [f"    const {_ladder(packing)[1]} *steps = {prefix}_steps;"]


def shared_passes(packings: Sequence[tuple[Packing, str, int]], prefix: str, style: Style) -> list[str]:
    """Return the pass functions that the layers (packing, C type of its inputs, bits of an input) need, each once."""
    seen: dict[str, list[str]] = {}
    coded = [kind for packing, kind, _ in packings if packing.kind == "coded"]
    if coded and not style.inline:
        seen["coded"] = sum_function(prefix, coded)
    for packing, kind, top in packings:
        if packing.kind == "coded" or style.inline:
            continue
        for shape, _ in packing.groups:
            name = pass_name(prefix, packing, shape, kind, top)
            if packing.kind == "listed":
                seen.setdefault(name, list_function(name, packing.word, kind, packing.element(shape)))
            else:
                seen.setdefault(name, pass_lines(name, packing, shape, kind, top, style))
    return [line for lines in seen.values() for line in lines]
