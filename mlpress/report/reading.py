"""JSON facts as frozen types: the one door back from ``design.json`` and the like.

Facts come from folders that anybody may have written, of any version.  What is missing, null or no finite number is
left out; an object or a list in the place of another kind of value is an error.
"""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import Field, fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from mlpress.errors import MlpressError

Json = Any
"""Any JSON value, to be shown as it is."""

Number = int | float
"""A finite number; an integer stays one, since counts are shown in full."""

KEY = "key"
"""In a field's metadata: its JSON key, where that is not the field's name; None: it is not read at all."""

Facts = TypeVar("Facts")


def read(kind: type[Facts], found: Any, name: str = "facts") -> Facts:
    """Read the JSON object ``found`` as the dataclass ``kind``, all of whose fields have defaults.

    Keys that it does not have are passed over.  Raises :class:`MlpressError` where ``found``, called ``name``, or
    anything in it that is an object or a list by its type, is of another kind.
    """
    facts = mapping(found, name)
    values = {}
    for one, hint in _hints(kind):  # type: ignore[arg-type]  # a class is hashable
        key = one.metadata.get(KEY, one.name)
        if (value := _value(hint, facts.get(key), key)) is not None:
            values[one.name] = value
    return kind(**values)


def read_rows(kind: type[Facts], found: Any, name: str) -> tuple[Facts, ...]:
    """Read a list of JSON objects, empty where it is missing or null."""
    return tuple(read(kind, row, f"{name}[{index}]") for index, row in enumerate(items(found, name)))


def mapping(found: Any, name: str) -> Mapping[str, Any]:
    """Return the JSON object ``found``, empty where it is missing or null."""
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise malformed(name, found, "an object")
    return found


def items(found: Any, name: str) -> list[Any]:
    """Return the JSON list ``found``, empty where it is missing or null."""
    if found is None:
        return []
    if not isinstance(found, list | tuple):
        raise malformed(name, found, "a list")
    return list(found)


def number(value: Any) -> int | float | None:
    """Return ``value`` where it is a finite number, else ``None``."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return value if math.isfinite(value) else None
    except OverflowError:
        return None


def malformed(name: str, found: Any, wanted: str) -> MlpressError:
    """Return the error that the value ``name`` is not what it must be."""
    return MlpressError(
        f"the design's {name!r} is {type(found).__name__}, it must be {wanted}; compile the model again"
    )


@cache
def _hints(kind: Any) -> tuple[tuple[Field[Any], Any], ...]:
    hints = get_type_hints(kind)
    return tuple((one, hints[one.name]) for one in fields(kind) if one.metadata.get(KEY, one.name))


def _class(hint: Any) -> type[Any]:
    assert isinstance(hint, type)
    return hint


def _value(hint: Any, found: Any, name: str) -> Any:
    """Return what ``found`` is by its type: None where it has no value."""
    if get_origin(hint) in (Union, types.UnionType):
        inner = [one for one in get_args(hint) if one is not type(None)]
        if set(inner) == {int, float}:
            return number(found)
        return None if found is None else _value(inner[0], found, name)
    if get_origin(hint) is tuple:
        inside = get_args(hint)[0]
        if is_dataclass(inside):
            return read_rows(_class(inside), found, name)
        return tuple(_value(inside, one, name) for one in items(found, name))
    if hint is Mapping or get_origin(hint) is Mapping:
        inside = get_args(hint)[1]
        return {key: _value(inside, one, str(key)) for key, one in mapping(found, name).items()}
    if is_dataclass(hint):
        return read(_class(hint), found, name)
    if hint is bool:
        return found if isinstance(found, bool) else None
    return found
