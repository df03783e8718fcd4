"""Passes as text: ``multiply:terms=2,shifts=5``."""

from __future__ import annotations

from dataclasses import fields
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from mlpress.approx.passes.accumulate import Accumulate
from mlpress.approx.passes.activation import Activation
from mlpress.approx.passes.argmax import ArgmaxRanges
from mlpress.approx.passes.genes import ApproximatePass
from mlpress.approx.passes.inputs import Inputs
from mlpress.approx.passes.multiply import Multiply
from mlpress.errors import MlpressError

PASSES: tuple[type[Multiply | Accumulate | Activation | ArgmaxRanges | Inputs], ...] = (
    Multiply,
    Accumulate,
    Activation,
    ArgmaxRanges,
    Inputs,
)
"""Every approximate pass, in the order in which a search applies them."""

SWITCH = {"yes": True, "true": True, "no": False, "false": False}


def make_pass(name: str, options: dict[str, Any]) -> ApproximatePass:
    """Make the pass of this name with these options; lists become tuples.

    Raises :class:`MlpressError` for a name that no pass has, and for an option that the pass does not have.
    """
    kind: Any  # its fields are known only by the pass that is named
    for kind in PASSES:
        if kind.name == name:
            _known(kind, options)
            made: ApproximatePass = kind(**{key: tuple(v) if isinstance(v, list) else v for key, v in options.items()})
            return made
    raise MlpressError(f"there is no pass {name!r}; the passes are {', '.join(kind.name for kind in PASSES)}")


def read_pass(text: str) -> ApproximatePass:
    """Read a pass from ``text``: ``name``, or ``name:option=value,option=value``.

    Values are whole numbers, ``none`` where an option may be left open, ``yes`` or ``no``; an option that holds several
    names is given once for each.  Raises :class:`MlpressError`.
    """
    name, _, rest = text.partition(":")
    kind = type(make_pass(name.strip(), {}))
    types, options = get_type_hints(kind), dict[str, Any]()
    for item in filter(None, (part.strip() for part in rest.split(","))):
        option, equals, value = (part.strip() for part in item.partition("="))
        if not equals:
            raise MlpressError(f"{name}: {item!r} is no option; write option=value, commas between them")
        _known(kind, {option: value})
        read = _value(f"{name}: {option}", types[option], value)
        if option in options and not isinstance(read, tuple):
            raise MlpressError(f"{name}: {option} is given twice; give it once")
        options[option] = options.get(option, ()) + read if isinstance(read, tuple) else read
    return make_pass(name.strip(), options)


def _known(kind: Any, options: dict[str, Any]) -> None:
    names = [field.name for field in fields(kind)]
    for option in options:
        if option not in names:
            raise MlpressError(f"{kind.name} has no option {option!r}; its options are {', '.join(names)}")


def _value(what: str, kind: Any, text: str) -> Any:
    """Read ``text`` as a value of the annotated type ``kind``."""
    kinds = get_args(kind) if isinstance(kind, UnionType) else (kind,)
    if NoneType in kinds and text.lower() == "none":
        return None
    if bool in kinds:
        if text.lower() not in SWITCH:
            raise MlpressError(f"{what} is {text!r}; it must be yes or no")
        return SWITCH[text.lower()]
    if get_origin(kinds[0]) is not None:
        return (text,)
    try:
        return int(text)
    except ValueError as error:
        more = " or none" if NoneType in kinds else ""
        raise MlpressError(f"{what} is {text!r}; it must be a whole number{more}") from error
