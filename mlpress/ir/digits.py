"""Constant weights as few signed powers of two."""

from __future__ import annotations

from mlpress.ir.net import Term


def signed_digits(value: int) -> list[tuple[int, int]]:
    """The canonical-signed-digit form of ``value`` as (sign, exponent) pairs, lowest exponent first.

    No two exponents are neighbours, and no signed-binary form has fewer digits (G. W. Reitwiesner, "Binary
    Arithmetic", Advances in Computers 1, 1960).
    """
    digits: list[tuple[int, int]] = []
    exponent = 0
    while value:
        if value & 1:
            digit = 2 - (value & 3)  # 1 where the value is 1 modulo 4, -1 where it is 3
            digits.append((digit, exponent))
            value -= digit
        value >>= 1
        exponent += 1
    return digits


def weight_terms(weight: int, source: int, bits: int) -> tuple[Term, ...]:
    """``weight * x[source]``, exactly, as terms with full masks over the source's ``bits`` bits."""
    mask = (1 << bits) - 1
    return tuple(Term(source, 1 if sign > 0 else -1, exponent, mask) for sign, exponent in signed_digits(weight))
