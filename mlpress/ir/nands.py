"""What single-bit operations cost: tenths of a two-input NAND gate, after logic optimisation."""

from __future__ import annotations

AND, OR, XOR, MUX = 18, 23, 40, 30
"""Two-input gates and a choice between two bits, each on its own."""

PARITY, MAJORITY = 80, 53
"""The sum and the carry of a full adder, each on its own."""

HALF, FULL = 49, 90
"""Half and full adder."""

HALF_ONE = 63
"""A half adder that adds a constant one."""
