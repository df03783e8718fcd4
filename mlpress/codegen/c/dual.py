"""Two 16-bit products an instruction: the DSP extension of Armv7E-M and Armv8-M, and portable C that does the same.

Signed arithmetic of the two is the same because no sum leaves int32, which the layout has made sure of.
"""

from __future__ import annotations

from mlpress.codegen.c.text import read

DUAL_MACROS = """\
#ifndef MLPRESS_DUAL
#if defined(__ARM_FEATURE_DSP) && (__ARM_FEATURE_DSP == 1)
#include <arm_acle.h>
#define MLPRESS_DUAL(a, b, sum) ((uint32_t)__smlad((int16x2_t)(a), (int16x2_t)(b), (int32_t)(sum)))
#define MLPRESS_EVEN_SIGNED(w) ((uint32_t)__sxtb16((int8x4_t)(w)))
#else
static uint32_t mlpress_signed_byte(uint32_t w)
{
    return ((w & 0xFFu) ^ 0x80u) - 0x80u;
}
#define MLPRESS_DUAL(a, b, sum) \\
    ((sum) + (mlpress_half((a)) * mlpress_half((b))) + (mlpress_half((a) >> 16) * mlpress_half((b) >> 16)))
#define MLPRESS_EVEN_SIGNED(w) \\
    ((mlpress_signed_byte((w)) & 0xFFFFu) | (mlpress_signed_byte((w) >> 16) << 16))
static uint32_t mlpress_half(uint32_t w)
{
    return ((w & 0xFFFFu) ^ 0x8000u) - 0x8000u;
}
#endif
#define MLPRESS_EVEN(x) ((x) & 0x00FF00FFu)
#define MLPRESS_ODD(x) (((x) >> 8) | ((x) << 24))
#endif
"""


def dual_lines(sums: int, rest: int, blocks: bool, stop: str) -> list[str]:
    """Return the loop over blocks of four inputs, and the last ``rest`` inputs; ``a0``, ... are the sums."""
    lines: list[str] = []
    if blocks:
        end = f"({stop} - {rest})" if rest else stop
        word = "(uint32_t)p[0] | ((uint32_t)p[1] << 8) | ((uint32_t)p[2] << 16) | ((uint32_t)p[3] << 24)"
        lines += ["    do {", f"        const uint32_t v = {word};", *_products(sums, "        ")]
        lines += ["        p += 4;", f"    }} while (p != {end});"]
    if rest:
        parts = [f"((uint32_t)p[{k}] << {8 * k})" if k else "(uint32_t)p[0]" for k in range(rest)]
        lines += ["    {", f"        const uint32_t v = {' | '.join(parts)};", *_products(sums, "        "), "    }"]
        if not blocks and stop == "stop":
            lines.append("    (void)stop;")
    return lines


def _products(sums: int, indent: str) -> list[str]:
    lines = ["const uint32_t even = MLPRESS_EVEN(v);", "const uint32_t odd = MLPRESS_EVEN(MLPRESS_ODD(v));"]
    for k in range(sums):
        lines += [
            f"const uint32_t w{k} = {read('uint32_t', f'&w[{k}]')};",
            f"a{k} = MLPRESS_DUAL(MLPRESS_EVEN_SIGNED(w{k}), even, a{k});",
            f"a{k} = MLPRESS_DUAL(MLPRESS_EVEN_SIGNED(MLPRESS_ODD(w{k})), odd, a{k});",
        ]
    return [indent + line for line in [*lines, f"w += {sums};"]]
