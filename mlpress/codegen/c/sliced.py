"""Bit-sliced code: the gates of a circuit as word operations, 32 samples a word."""

from __future__ import annotations

from mlpress.codegen.c.text import wrapped
from mlpress.ir import Circuit


def slice_function(circuit: Circuit, name: str) -> tuple[list[str], int]:
    """Return the function that evaluates ``circuit`` for the samples of a word, and its number of operations.

    ``x`` holds a word per input bit, in the order of the circuit's variables; ``y`` gets one per output bit, in the
    order of its words.  Gates that no output depends on are left out.  An exclusive-or of two and-gates that nothing
    else reads is one operation.
    """
    first = 1 + circuit.input_bits
    ands = [(int(a), int(b)) for a, b in circuit.ands.tolist()]
    uses = [0] * circuit.variables
    for word in circuit.outputs:
        for literal in word:
            uses[literal >> 1] += 1
    for gate in reversed(range(len(ands))):
        if uses[first + gate]:
            for literal in ands[gate]:
                uses[literal >> 1] += 1
    xors: dict[int, tuple[int, int]] = {}
    inner: set[int] = set()
    for gate, (a, b) in enumerate(ands):
        pair = _xor(ands, first, a, b) if uses[first + gate] else None
        if pair is not None and uses[a >> 1] == 1 and uses[b >> 1] == 1:
            xors[gate] = pair
            inner |= {(a >> 1) - first, (b >> 1) - first}

    def word_of(literal: int) -> str:
        variable = literal >> 1
        if variable == 0:
            return "0xFFFFFFFFu" if literal & 1 else "0u"
        plain = f"x[{variable - 1}]" if variable < first else f"g{variable - first}"
        return f"~{plain}" if literal & 1 else plain

    lines = [f"static void {name}_slice(const uint32_t *x, uint32_t *y)", "{"]
    operations = 0
    for gate, (a, b) in enumerate(ands):
        if gate in inner or not uses[first + gate]:
            continue
        if gate in xors:
            p, q = xors[gate]
            flip = (p ^ q) & 1
            value = f"{word_of(p & ~1)} ^ {word_of(q & ~1)}"
            text = f"~({value})" if flip else value
            operations += 1 + flip
        else:
            text = f"{word_of(a)} & {word_of(b)}"
            operations += 1 + (a & 1) + (b & 1)
        lines.append(f"    const uint32_t g{gate} = {text};")
    outputs = [literal for word in circuit.outputs for literal in word]
    lines += [f"    y[{k}] = {word_of(literal)};" for k, literal in enumerate(outputs)]
    if not any("x[" in line for line in lines[2:]):
        lines.append("    (void)x;")
    return [*lines, "}", ""], operations


def _xor(ands: list[tuple[int, int]], first: int, a: int, b: int) -> tuple[int, int] | None:
    """Return the literals (p, q) with ``p ^ q`` equal to ``a & b``, where both are inverted and-gates that form one."""
    if not (a & 1 and b & 1) or min(a >> 1, b >> 1) < first:
        return None
    (p, q), (r, s) = ands[(a >> 1) - first], ands[(b >> 1) - first]
    if {p ^ 1, q ^ 1} == {r, s}:  # not (p q) and not (not p not q)
        return p, q
    return None


def sliced_functions(circuit: Circuit, name: str, code: str) -> list[str]:
    """Return ``_predict`` (or ``_scores``) for one sample and ``_predict32`` for 32, over the slice function."""
    bits = [feature.bits for feature in circuit.inputs]
    widths = [len(word) for word in circuit.outputs]
    total, outputs = sum(bits), sum(widths)
    unpack = [f"    uint32_t bits[{max(total, 1)}];", f"    uint32_t y[{max(outputs, 1)}];"]
    spread: list[str] = []
    at = 0
    for k, width in enumerate(bits):
        for bit in range(width):
            shifted = f"((uint32_t)x[{k}] >> {bit})" if bit else f"(uint32_t)x[{k}]"
            spread.append(f"    bits[{at}] = {shifted};")
            at += 1
    lines: list[str] = []
    if circuit.scores is None:
        gathered = _gather(0, widths[0], "y", "0")
        lines += [f"int {name}_predict(const {code} x[{len(bits)}])", "{", *unpack, *spread]
        lines += [f"    {name}_slice(bits, y);", f"    return (int)({gathered});", "}", ""]
        lines += _many(circuit, name, code, total, outputs)
    else:
        kind = score_type(circuit)
        lines += [f"void {name}_scores(const {code} x[{len(bits)}], {kind} scores[{len(widths)}])", "{"]
        lines += [*unpack, *spread, f"    {name}_slice(bits, y);"]
        at = 0
        for k, width in enumerate(widths):
            lines += _signed(k, at, width, kind)
            at += width
        lines += ["}", ""]
    return lines


def score_type(circuit: Circuit) -> str:
    """Return the C type of a regression's scores."""
    return "int32_t" if max(len(word) for word in circuit.outputs) <= 31 else "int64_t"


def _gather(first: int, width: int, word: str, sample: str) -> str:
    parts = []
    for bit in range(width):
        value = f"{word}[{first + bit}]" if sample == "0" else f"({word}[{first + bit}] >> {sample})"
        parts.append(f"(({value} & 1u) << {bit})" if bit else f"({value} & 1u)")
    return " | ".join(parts)


def _signed(k: int, first: int, width: int, kind: str) -> list[str]:
    word = "uint32_t" if kind == "int32_t" else "uint64_t"
    parts = [f"(({word})(y[{first + bit}] & 1u) << {bit})" for bit in range(width)]
    lines = wrapped(
        [f"const {word} raw{k} =", *[one + (" |" if n < width - 1 else ";") for n, one in enumerate(parts)]]
    )
    top = 1 << (width - 1)
    if width == 64:
        return [*lines, f"    scores[{k}] = ((raw{k} >> 63) != 0u) ? (-(int64_t)(~raw{k}) - 1) : (int64_t)raw{k};"]
    suffix = "u" if kind == "int32_t" else "ull"
    return [*lines, f"    scores[{k}] = ({kind})(raw{k} & {top - 1}{suffix}) - ({kind})(raw{k} & {top}{suffix});"]


def _many(circuit: Circuit, name: str, code: str, total: int, outputs: int) -> list[str]:
    count = len(circuit.inputs)
    lines = [
        f"void {name}_predict32(const {code} (*x)[{count}], uint8_t classes[32])"
        if len(circuit.classes) <= 256
        else f"void {name}_predict32(const {code} (*x)[{count}], uint16_t classes[32])",
        "{",
        f"    uint32_t bits[{max(total, 1)}];",
        f"    uint32_t y[{outputs}];",
        "    uint_fast8_t k;",
        f"    uint32_t *const end = &bits[{total}];",
        "    uint32_t *b;",
        "    for (b = bits; b != end; ++b) { *b = 0u; }",
        "    for (k = 0u; k < 32u; ++k) {",
    ]
    at = 0
    for j, feature in enumerate(circuit.inputs):
        for bit in range(feature.bits):
            lines.append(f"        bits[{at}] |= (((uint32_t)x[k][{j}] >> {bit}) & 1u) << k;")
            at += 1
    kind = "uint8_t" if len(circuit.classes) <= 256 else "uint16_t"
    return [
        *lines,
        "    }",
        f"    {name}_slice(bits, y);",
        "    for (k = 0u; k < 32u; ++k) {",
        f"        classes[k] = ({kind})({_gather(0, len(circuit.outputs[0]), 'y', 'k')});",
        "    }",
        "}",
        "",
    ]
