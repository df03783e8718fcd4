"""Gates of two signals in a straight line, each behind all that it reads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from mlpress.errors import MlpressError

NOT = 0b0101
"""The truth table of a gate that inverts its left signal."""

Net = int | str
"""A net of Yosys's JSON: its number, or ``"0"``, ``"1"``, ``"x"``, ``"z"``."""


class Line(ABC):
    """Puts what drives a net in the line, from the operands on, whatever the order of a netlist's cells.

    ``signal`` are the nets' signals; gate ``k`` is signal ``base + k``, of the truth table ``operation[k]`` over the
    signals ``left[k]`` and ``right[k]``.  Who reads a netlist says which nets a driver reads (:meth:`operands`) and
    what it is made of (:meth:`made`).
    """

    def __init__(self) -> None:
        self.signal: dict[Net, int] = {"0": 0, "x": 0}
        self.operation: list[int] = []
        self.left: list[int] = []
        self.right: list[int] = []
        self.base = 1

    @abstractmethod
    def operands(self, net: Net, readers: Sequence[Net]) -> list[Net]:
        """Return the nets that the driver of ``net`` reads; raise where there is none.  ``readers`` end with it."""
        ...

    @abstractmethod
    def made(self, net: Net, operands: list[int]) -> int:
        """Put the driver of ``net`` over these signals in the line; return its signal."""
        ...

    @abstractmethod
    def place_of(self, net: Net) -> str:
        """Return what a message about a loop calls ``net``."""
        ...

    def value(self, root: Net) -> int:
        """Return the signal of a net; what drives it is put in the line first (depth first, without recursion)."""
        stack, waiting = [root], set[Net]()
        while stack:
            net = stack[-1]
            if net in self.signal:
                stack.pop()
                continue
            if net == "1":
                self.signal[net] = self.gate(NOT, 0, 0)
                continue
            operands = self.operands(net, stack)
            missing = [operand for operand in operands if operand not in self.signal]
            if missing and net in waiting:
                raise MlpressError(f"there is a combinational loop through {self.place_of(net)}")
            if missing:
                waiting.add(net)
                stack += missing
                continue
            self.signal[net] = self.made(net, [self.signal[operand] for operand in operands])
        return self.signal[root]

    def gate(self, operation: int, left: int, right: int) -> int:
        """Put a gate at the end of the line; return its signal."""
        self.operation.append(operation)
        self.left.append(left)
        self.right.append(right)
        return self.base + len(self.operation) - 1
