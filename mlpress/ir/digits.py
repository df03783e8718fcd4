"""Constant weights as few signed powers of two."""

from __future__ import annotations

from functools import lru_cache

from mlpress.ir.net import Term


def signed_digits(value: int) -> list[tuple[int, int]]:
    """Return the canonical-signed-digit form of ``value`` as (sign, exponent) pairs, lowest exponent first.

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


def digit_count(value: int) -> int:
    """Count the signed digits of ``value``: the ones of ``value ^ 3 * value`` (Prodinger, Integers 0, A8, 2000)."""
    value = abs(value)
    return (value ^ 3 * value).bit_count()


def signed_digit_forms(value: int, most: int) -> list[tuple[tuple[int, int], ...]]:
    """Return up to ``most`` of the shortest signed-binary forms of ``value``, as :func:`signed_digits`, which comes
    first.
    """
    forms = [tuple(signed_digits(value))]
    for form in _shortest_forms(value, most):
        if form != forms[0] and len(forms) < most:
            forms.append(form)
    return forms


@lru_cache(maxsize=1 << 14)
def _shortest_forms(value: int, most: int) -> list[tuple[tuple[int, int], ...]]:
    if value == 0:
        return [()]
    zeros = (value & -value).bit_length() - 1
    odd, length = value >> zeros, digit_count(value)
    found: list[tuple[tuple[int, int], ...]] = []
    for digit in (1, -1):
        if digit_count(odd - digit) == length - 1:
            for rest in _shortest_forms(odd - digit, most):
                found.append(((digit, zeros), *((sign, exponent + zeros) for sign, exponent in rest)))
    return found[:most]


def weight_terms(weight: int, source: int, bits: int) -> tuple[Term, ...]:
    """Return ``weight * x[source]``, exactly, as terms with full masks over the source's ``bits`` bits."""
    mask = (1 << bits) - 1
    return tuple(Term(source, 1 if sign > 0 else -1, exponent, mask) for sign, exponent in signed_digits(weight))
