"""Checks that a program keeps every rule of ``docs/ir.md``."""

from __future__ import annotations

from typing import assert_never

from mlpress.ir.circuit import Circuit
from mlpress.ir.field import Field
from mlpress.ir.model import Model
from mlpress.ir.net import Net
from mlpress.ir.verify_circuit import verify_circuit
from mlpress.ir.verify_field import verify_field
from mlpress.ir.verify_model import verify_model
from mlpress.ir.verify_net import verify_net


def verify(program: Net | Model | Circuit | Field) -> None:
    """Raise :class:`MlpressError` at the first broken rule, naming its place.

    Inputs, layers, neurons, terms and gates count from 0.
    """
    match program:
        case Net():
            verify_net(program)
        case Model():
            verify_model(program)
        case Circuit():
            verify_circuit(program)
        case Field():
            verify_field(program)
        case _:
            assert_never(program)
