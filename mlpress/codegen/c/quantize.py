"""``_quantize``: float32 features to input codes, by integer arithmetic alone."""

from __future__ import annotations

from typing import NamedTuple

from mlpress.codegen.c.text import read, table
from mlpress.codegen.c.thresholds import Rule, rules, unorder
from mlpress.ir import Circuit, Net

BITS = """\
static {kind} {name}_bits(const float *x)
{{
    union {{ float value; {kind} bits; }} both;
    both.value = *x;
    return both.bits;
}}
"""


class Quantize(NamedTuple):
    """The tables and the functions of ``_quantize``, and whether they use ``MLPRESS_KEEP``."""

    lines: list[str]
    keep: bool


def quantize_code(program: Net | Circuit, name: str, code: str) -> Quantize:
    """Return ``_quantize`` for codes of the C type ``code``."""
    found, of = rules(program)
    missing = _missing(program)
    head = [f"void {name}_quantize(const float *x, {code} *codes)", "{"]
    if len(found) == 1:
        scaled = _power_of_two(found[0])
        if scaled is not None:
            lines = [*BITS.format(name=name, kind="uint32_t").splitlines(), "", *head]
            body = _scaled_lines(name, found[0], scaled, code, len(of))
            return Quantize(_with_missing(missing, name, [*lines, *body, "}", ""]), keep=False)
    if all(not one.starts for one in found):
        return Quantize(_searched_lines(name, found, of, code, head), keep=False)
    lines = [*BITS.format(name=name, kind="int32_t").splitlines(), ""]
    searched = [*lines, *_searched_lines(name, found, of, code, head)]
    return Quantize(_with_missing(missing, name, searched), keep=True)


def _missing(program: Net | Circuit) -> list[int]:
    """Return the bits of the float32 that stands for each feature where it is NaN, else those of NaN; none where no
    feature may be missing.
    """
    values = [feature.missing for feature in program.inputs]
    if all(value is None for value in values):
        return []
    import numpy as np

    told = np.array([np.nan if value is None else value for value in values], np.float32)
    return [int(bits) for bits in told.view(np.uint32)]


def _with_missing(missing: list[int], name: str, lines: list[str]) -> list[str]:
    """Return the lines of ``_quantize`` with a look at each feature: NaN has bits above those of infinity."""
    if not missing:
        return lines
    made = table("uint32_t", f"{name}_missing", missing)
    for line in lines:
        if line.strip() == "do {":
            made.append(f"    const uint32_t *stands = {name}_missing;")
        if line.strip() == "++x;":
            made.append("        ++stands;")
        kind = next(
            (kind for kind in ("uint32_t", "int32_t") if line.strip() == f"const {kind} bits = {name}_bits(x);"), ""
        )
        if not kind:
            made.append(line)
            continue
        read_bits = f"({kind}){read('uint32_t', 'stands')}" if kind == "int32_t" else read("uint32_t", "stands")
        made += [
            f"        const {kind} own = {name}_bits(x);",
            f"        const {kind} bits = (((uint32_t)own << 1) > 0xFF000000u) ? {read_bits} : own;",
        ]
    return made


def _power_of_two(one: Rule) -> int | None:
    """Return ``j`` where the code is ``floor(x * 2**j)`` from 0 to the largest code, by all its thresholds."""
    if len(one.codes) < 3 or one.codes != tuple(range(len(one.codes))) or len(one.codes) & (len(one.codes) - 1):
        return None
    first = one.starts[0]
    if first <= 0 or first & 0x7FFFFF:
        return None
    j = 127 - (first >> 23)
    if not 0 < (first >> 23) < 255 - 17:
        return None
    import numpy as np

    values = unorder(np.array(one.starts, np.int64)).astype(np.float64)
    exact = [float(value) * 2.0**j for value in values]
    return j if exact == [float(k) for k in range(1, len(one.codes))] else None


def _scaled_lines(name: str, one: Rule, j: int, code: str, count: int) -> list[str]:
    top = len(one.codes) - 1
    return [
        f"    const float *const stop = &x[{count}];",
        "    do {",
        f"        const uint32_t bits = {name}_bits(x);",
        "        uint32_t code = 0u;",
        f"        if ((bits - 0x{one.starts[0]:08X}u) < 0x{one.starts[-1] - one.starts[0]:08X}u) {{",
        f"            code = ((bits & 0x7FFFFFu) | 0x800000u) >> ({150 - j}u - (bits >> 23));",
        "        } else if ((bits >> 31) == 0u) {",
        f"            code = (bits < 0x{one.starts[0]:08X}u) ? 0u : {top}u;",
        "        } else {",
        "            /* negative: 0 */",
        "        }",
        f"        *codes = ({code})code;",
        "        ++codes;",
        "        ++x;",
        "    } while (x != stop);",
    ]


def _searched_lines(name: str, found: list[Rule], of: list[int], code: str, head: list[str]) -> list[str]:
    """Return a binary search among each input's thresholds; inputs that all differ have theirs one after another.

    Keys stand in the signed order of :mod:`mlpress.codegen.c.thresholds`.  ``MLPRESS_KEEP`` keeps branches, which are
    faster than what clang makes of them on a Cortex-M0+.
    """
    depth = max(len(one.starts) for one in found).bit_length()
    size = max((1 << depth) - 1, 1)
    own = 2 * len(found) > len(of) > 1
    rules_ = [found[k] for k in of] if own else found
    many = len(found) > 1 and not own
    keys: list[int] = []
    for one in rules_:
        keys += [*[start & 0xFFFFFFFF for start in one.starts], *[0x7FFFFFFF] * (size - len(one.starts))]
    plain = all(one.codes == tuple(range(len(one.codes))) for one in rules_)
    lines = table("uint32_t", f"{name}_starts", keys)
    if not plain:
        codes = [value for one in rules_ for value in (*one.codes, *[0] * (size + 1 - len(one.codes)))]
        lines += table(code, f"{name}_codes", codes)
    if many:
        lines += table("uint16_t", f"{name}_rules", [k * size for k in of])
    body = [f"    const uint32_t *first = {name}_starts;"]
    if many:
        body.append(f"    const uint16_t *rule = {name}_rules;")
    if not plain:
        body.append(f"    const {code} *meant = {name}_codes;")
    body += [
        f"    const float *const stop = &x[{len(of)}];",
        "    do {",
        f"        const int32_t bits = {name}_bits(x);",
        "        const int32_t key = bits ^ (int32_t)((uint32_t)(bits >> 31) >> 1);",
    ]
    if many:
        body.append(f"        first = &{name}_starts[{read('uint16_t', 'rule')}];")
        if not plain:
            body.append(
                f"        meant = &{name}_codes[{read('uint16_t', 'rule')} + ({read('uint16_t', 'rule')} / {size}u)];"
            )
        body.append("        ++rule;")
    body += ["        {", "            const uint32_t *at = first;", "            MLPRESS_KEEP(first);"]
    for level in reversed(range(depth)):
        step = 1 << level
        place = f"&at[{step - 1}]" if step > 1 else "at"
        body += [
            f"            if (key >= (int32_t){read('uint32_t', place)}) {{",
            f"                at += {step};",
            "                MLPRESS_KEEP(at);",
            "            }",
        ]
    value = "(at - first)" if plain else read(code, "&meant[at - first]")
    body += [f"            *codes = ({code}){value};", "        }"]
    if own:
        body.append(f"        first += {size};")
        body += [] if plain else [f"        meant += {size + 1};"]
    body += ["        ++codes;", "        ++x;", "    } while (x != stop);"]
    if depth == 0:
        body = [line for line in body if not any(word in line for word in ("key", " bits", "KEEP"))]
    return [*lines, *head, *body, "}", ""]
