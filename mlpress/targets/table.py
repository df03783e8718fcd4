"""The table of targets: one row per name."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Union, get_args, get_origin, get_type_hints

from mlpress.errors import MlpressError

if TYPE_CHECKING:
    from mlpress.targets.base import Target


class Row(NamedTuple):
    """Where the target of a name is: a frozen dataclass ``factory`` in ``module``, whose field ``name`` it fills."""

    module: str
    factory: str


TARGETS: dict[str, Row] = {
    "egfet": Row("mlpress.targets.printed", "Printed"),
    "cnt-tft": Row("mlpress.targets.printed", "Printed"),
    "cortex-m0plus": Row("mlpress.targets.mcu", "Microcontroller"),
    "cortex-m4f": Row("mlpress.targets.mcu", "Microcontroller"),
    "cortex-m33": Row("mlpress.targets.mcu", "Microcontroller"),
    "rv32imc": Row("mlpress.targets.mcu", "Microcontroller"),
    "rv32ec": Row("mlpress.targets.mcu", "Microcontroller"),
    "atmega328p": Row("mlpress.targets.mcu", "Microcontroller"),
    "ecp5-25k": Row("mlpress.targets.fpga", "Fpga"),
    "ice40-up5k": Row("mlpress.targets.fpga", "Fpga"),
    "ngpc:8": Row("mlpress.targets.ngpc", "NeuralGraphics"),
    "ngpc:16": Row("mlpress.targets.ngpc", "NeuralGraphics"),
    "ngpc:32": Row("mlpress.targets.ngpc", "NeuralGraphics"),
    "ngpc:64": Row("mlpress.targets.ngpc", "NeuralGraphics"),
}
"""Every target that a user can name; modules are imported when one is asked for."""

DEFAULT_TARGET = "egfet"
"""The target where none is named."""


def read_target(text: str, options: Mapping[str, Any] | None = None, **more: Any) -> Target:
    """Return the target called ``text`` with these options.

    Raises :class:`MlpressError` for a name that is not in :data:`TARGETS`, and for an option that the target does not
    have or that is of another type.
    """
    given = {**(options or {}), **more}
    factory = target_type(text)
    check_options(text, given)
    target: Target = factory(name=text, **given)
    return target


def check_options(text: str, options: Mapping[str, Any]) -> None:
    """Raise :class:`MlpressError` where the target called ``text`` has no such option, or one of another type."""
    factory = target_type(text)
    known = {field.name for field in dataclasses.fields(factory)} - {"name"}
    for name, value in options.items():
        if name not in known:
            raise MlpressError(f"target {text} has no option {name!r}; there are {', '.join(sorted(known))}")
        _check(text, name, value, get_type_hints(factory)[name])


def target_type(text: str) -> Any:
    """Return the dataclass of the target called ``text``."""
    row = TARGETS.get(text)
    if row is None:
        raise MlpressError(f"no target {text[:200]!r}; there are {', '.join(TARGETS)}")
    return getattr(import_module(row.module), row.factory)


def target_options(text: str) -> tuple[str, ...]:
    """Return the names of a target's options."""
    return tuple(field.name for field in dataclasses.fields(target_type(text)) if field.name != "name")


def target_files(text: str, options: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the files that an artifact of a target has; options that it does not know are no matter."""
    known = set(target_options(text))
    return read_target(text, {name: value for name, value in options.items() if name in known}).files


def targets() -> list[dict[str, Any]]:
    """Return what is known of every target, as plain JSON values: ``name``, ``kind``, ``title`` and more by kind."""
    return [{"name": name, "kind": read_target(name).kind, **read_target(name).describe()} for name in TARGETS]


def _check(target: str, name: str, value: Any, hint: Any) -> None:
    allowed = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    kinds = tuple(get_origin(kind) or kind for kind in allowed)
    whole = isinstance(value, int) and not isinstance(value, bool)
    if (float in kinds and whole) or (Path in kinds and isinstance(value, str)):
        return
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        wanted = " or ".join("nothing" if kind is type(None) else kind.__name__ for kind in kinds)
        raise MlpressError(f"option {name!r} of target {target} is {value!r}; it must be {wanted}")
