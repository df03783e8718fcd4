"""The ports of a circuit: names and widths, and what stands at each for rows of codes.

A binary input is one port, ``x3``, of its code's bits.  A unary one is a port of one bit per level, ``x3_ge5``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpress.ir.model import Ints
from mlpress.ir.net import Input, level_port, port_name

Ports = tuple[tuple[str, int], ...]
"""Name and width of each port."""


def input_ports(inputs: Sequence[Input], first: int = 0) -> Ports:
    """Return name and width of every input port, in the order of the variables; ``inputs[0]`` is number ``first``."""
    found: list[tuple[str, int]] = []
    for k, feature in enumerate(inputs, first):
        if feature.interface == "unary":
            found += [(level_port(k, level), 1) for level in feature.reached]
        else:
            found.append((port_name(k), feature.bits))
    return tuple(found)


def port_columns(inputs: Sequence[Input], codes: NDArray[Any]) -> dict[str, Ints]:
    """Return what stands at each input port, int64 (rows,) by name, for ``codes`` (rows, inputs)."""
    found: dict[str, Ints] = {}
    for k, feature in enumerate(inputs):
        column = np.asarray(codes[:, k], np.int64)
        if feature.interface == "unary":
            found |= {level_port(k, level): (column >= level).astype(np.int64) for level in feature.reached}
        else:
            found[port_name(k)] = column
    return found


def input_bits(inputs: Sequence[Input], codes: NDArray[Any]) -> NDArray[np.bool_]:
    """Return every input bit of a circuit, bool (bits, rows), for ``codes`` (rows, inputs)."""
    found = [np.zeros((0, len(codes)), np.bool_)]
    for feature, column in zip(inputs, np.asarray(codes, np.int64).T, strict=True):
        if feature.interface == "unary":
            found.append(column >= np.array(feature.reached, np.int64).reshape(-1, 1))
        else:
            found.append(column >> np.arange(feature.bits).reshape(-1, 1) & 1 == 1)
    return np.concatenate(found)


def codes_at(inputs: Sequence[Input], values: Mapping[str, int]) -> dict[str, int]:
    """Return the code of each input, by :func:`port_name`, from the unsigned ``values`` at the ports.

    Where a unary input's bits are no code (a level is reached and a lower one is not), it is the highest one reached.
    """
    found: dict[str, int] = {}
    for k, feature in enumerate(inputs):
        if feature.interface == "unary":
            found[port_name(k)] = max((level for level in feature.reached if values[level_port(k, level)]), default=0)
        else:
            found[port_name(k)] = values[port_name(k)]
    return found


def implied(inputs: Sequence[Input]) -> list[tuple[str, str]]:
    """Return pairs of ports: where the first one is 1, the second one is too, as in every row that can occur."""
    pairs: list[tuple[str, str]] = []
    for k, feature in enumerate(inputs):
        if feature.interface == "unary":
            names = [level_port(k, level) for level in feature.reached]
            pairs += zip(names[1:], names, strict=False)
    return pairs
