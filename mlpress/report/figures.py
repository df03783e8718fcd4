"""Values as a person reads them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mlpress.report.reading import malformed, number

MISSING = "–"
"""What stands where there is no value."""


def figure(value: Any, digits: int = 3) -> str:
    """Write integers in full; else ``digits`` significant digits, or all of the integer part: 0.0123, 4.21, 2,776."""
    found = number(value)
    if found is not None and isinstance(value, int):
        return f"{value:,}"
    if found is None:
        return words(value)
    if found == 0:
        return "0"
    if float(f"{abs(found):.{digits}g}") >= 10**7 or abs(found) < 1e-4:
        return f"{found:.{digits}g}"
    places = max(0, digits - 1 - math.floor(math.log10(float(f"{abs(found):.{digits}g}"))))
    return f"{found:,.{places}f}"


def counted(value: Any, one: str, many: str | None = None) -> str:
    """Write a count with its noun: ``one`` of it, else ``many`` (default: ``one`` with an s)."""
    return f"{figure(value)} {one if number(value) == 1 else many or one + 's'}"


def unit(text: str, name: str) -> str:
    """Write a figure with its unit, on one line."""
    return f"{text}\N{NO-BREAK SPACE}{name}"


def percent(value: Any) -> str:
    """Write a share of one as per cent, with one decimal."""
    found = number(value)
    return words(value) if found is None else unit(f"{100 * found:.1f}", "%")


def interval(bounds: Sequence[Any] | None) -> str:
    """Write the 95 % interval of a share as ``87.2 to 93.1 %``; empty where there is none."""
    found = [number(bound) for bound in bounds or ()]
    if len(found) != 2 or found[0] is None or found[1] is None:
        return ""
    return unit(f"{100 * found[0]:.1f} to {100 * found[1]:.1f}", "%")


def words(value: Any, depth: int = 4) -> str:
    """Write any JSON value on one line; lists and objects in short form, no more than ``depth`` deep."""
    match value:
        case None | "":
            return MISSING
        case bool():
            return "yes" if value else "no"
        case int() | str():
            return "".join(map(_printable, str(value)))
        case float():
            return f"{value:.6g}"
        case Mapping() | list() | tuple() if not depth:
            return "\N{HORIZONTAL ELLIPSIS}"
        case Mapping():
            return ", ".join(f"{words(key)} {_inner(entry, depth - 1)}" for key, entry in value.items()) or MISSING
        case list() | tuple():
            return ", ".join(_inner(entry, depth - 1) for entry in value) or MISSING
        case _:
            raise malformed("value", value, "a JSON value")


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else "\N{REPLACEMENT CHARACTER}"


def _inner(value: Any, depth: int) -> str:
    return f"({words(value, depth)})" if isinstance(value, Mapping | list | tuple) else words(value)


def join(names: list[str]) -> str:
    """Join names: ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def span(values: list[Any]) -> str:
    """Write the range of a list of numbers: ``9`` or ``9 to 12``."""
    found = sorted(value for value in map(number, values) if value is not None)
    if not found:
        return MISSING
    return words(found[0]) if found[0] == found[-1] else f"{words(found[0])} to {words(found[-1])}"


def label(key: Any) -> str:
    """Write a key of a JSON object as words: ``rate_hz`` is ``rate hz``."""
    return words(key).replace("_", " ")
