"""Small checks that the verifiers share; each raises an error that names the place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NoReturn

from mlpress.errors import MlpressError
from mlpress.ir.limits import INT64_HIGH, INT64_LOW, MAX_CLASSES, MAX_INPUTS, MAX_NAME
from mlpress.progress import counted


def fail(where: str, what: str) -> NoReturn:
    """Raise the error ``where: what``."""
    raise MlpressError(f"{where}: {what}")


def check_int(value: Any, low: int, high: int, where: str, what: str) -> None:
    """Check that ``value`` is a Python int (no bool, no NumPy scalar) within ``low .. high``."""
    if type(value) is not int:
        fail(where, f"{what} is {value!r}; it must be an int")
    if not low <= value <= high:
        fail(where, f"{what} is {value}; it must be within {low}..{high}")


def check_float(value: Any, where: str, what: str) -> None:
    """Check that ``value`` is a finite Python float."""
    if type(value) is not float or not math.isfinite(value):
        fail(where, f"{what} is {value!r}; it must be a finite float")


def check_count(count: int, low: int, high: int, where: str, what: str) -> None:
    """Check that there are ``low`` to ``high`` of ``what``."""
    if not low <= count <= high:
        fail(where, f"{count} {what}; there must be {low} to {high}")


def check_name(name: Any, where: str) -> None:
    """Check that a name has 1 to 256 characters, no control character and no lone surrogate."""
    if type(name) is not str or not 1 <= len(name) <= MAX_NAME:
        fail(where, f"the name {str(name)[:40]!r} must be text of 1 to {MAX_NAME} characters")
    if any(ord(c) < 32 or 127 <= ord(c) < 160 or 0xD800 <= ord(c) < 0xE000 for c in name):
        fail(where, f"the name {name[:40]!r} holds a control character; rename it")


def check_inputs(names: Sequence[Any]) -> None:
    """Check that there is at least one input, and that no two have one name."""
    check_count(len(names), 1, MAX_INPUTS, "inputs", "inputs")
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        check_name(name, f"input {index}")
        if name in first:
            fail(f"input {index}", f"the name {name!r} is that of input {first[name]} too; names must differ")
        first[name] = index


def check_classes(classes: Sequence[Any], count: int) -> None:
    """Check that ``classes`` are ``count`` different names or int64 numbers."""
    if len(classes) != count:
        fail(
            "classes",
            f"{counted(len(classes), 'class is', 'classes are')} named, and the head tells {count} apart; the two must "
            f"agree",
        )
    check_count(count, 0, MAX_CLASSES, "classes", "classes")
    first: dict[int | str, int] = {}
    for index, name in enumerate(classes):
        where = f"class {index}"
        if isinstance(name, str):
            check_name(name, where)
        else:
            check_int(name, INT64_LOW, INT64_HIGH, where, "its number")
        if name in first:
            fail(where, f"the name {name!r} is that of class {first[name]} too; names must differ")
        first[name] = index
