"""A tile of the MLP engine over samples: the one loop whose sums must stay in registers to be fast.

numba's compiler keeps sums of a loop over samples in memory; so the loop over inputs is written in LLVM's own
instructions, on vectors of samples.  Each product and each sum is an instruction of its own: nothing is fused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.extending import intrinsic

from mlpress.ir import Singles
from mlpress.jit import compiled

LANES = 16 if binding.get_host_cpu_features().get("avx512f") else 8
"""Samples side by side: 8 sums of so many fill half of this computer's registers."""

BLOCK = 8
"""Outputs side by side: weights need zeros up to a multiple of it."""

_REAL, _WORD, _PLACE = ir.FloatType(), ir.IntType(64), ir.IntType(32)
_ROW = ir.VectorType(_REAL, LANES)


def _at(builder: Any, address: Any, kind: Any) -> Any:
    return builder.load(builder.inttoptr(address, kind.as_pointer()), align=4)


def _spread(builder: Any, value: Any) -> Any:
    """Return ``value`` in every lane."""
    nothing = ir.Constant(_ROW, ir.Undefined)
    one = builder.insert_element(nothing, value, ir.Constant(_PLACE, 0))
    return builder.shuffle_vector(one, nothing, ir.Constant(ir.VectorType(_PLACE, LANES), [0] * LANES))


def _products(outputs: int) -> Callable[..., None]:
    """Return what adds ``inputs`` products, one after the other, to each of ``outputs`` rows of sums.

    It takes the addresses of the first input, weight and sum, and the bytes from row to row of each.
    """

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        x, x_row, w, w_row, inputs, sums, sums_row = given
        places = [builder.add(sums, builder.mul(sums_row, ir.Constant(_WORD, j))) for j in range(outputs)]
        start = [_at(builder, place, _ROW) for place in places]
        before, loop, after = builder.block, builder.append_basic_block(), builder.append_basic_block()
        builder.branch(loop)
        builder.position_at_end(loop)
        k, x_at, w_at = (builder.phi(_WORD) for _ in range(3))
        totals = [builder.phi(_ROW) for _ in range(outputs)]
        value = _at(builder, x_at, _ROW)
        weights = [_at(builder, builder.add(w_at, ir.Constant(_WORD, 4 * j)), _REAL) for j in range(outputs)]
        found = [
            builder.fadd(total, builder.fmul(value, _spread(builder, weight)))
            for total, weight in zip(totals, weights, strict=True)
        ]
        following = builder.add(k, ir.Constant(_WORD, 1))
        turns = [(k, ir.Constant(_WORD, 0), following)]
        turns += [(x_at, x, builder.add(x_at, x_row)), (w_at, w, builder.add(w_at, w_row))]
        for variable, first, again in [*turns, *zip(totals, start, found, strict=True)]:
            variable.add_incoming(first, before)
            variable.add_incoming(again, loop)
        builder.cbranch(builder.icmp_signed("<", following, inputs), loop, after)
        builder.position_at_end(after)
        for place, total in zip(places, found, strict=True):
            builder.store(total, builder.inttoptr(place, _ROW.as_pointer()), align=4)
        return context.get_dummy_value()

    def add_products(typing: Any, x: Any, x_row: Any, w: Any, w_row: Any, inputs: Any, sums: Any, sums_row: Any) -> Any:
        return types.void(*[types.intp] * 7), generate

    found: Callable[..., None] = intrinsic(add_products)
    return found


_eight, _four = _products(BLOCK), _products(BLOCK // 2)


def padded_tile(tile: Singles) -> Singles:
    """Return ``tile`` (inputs, outputs) with zeros for outputs up to a multiple of :data:`BLOCK`."""
    found = np.zeros((tile.shape[0], rows_of(tile.shape[1])), np.float32)
    found[:, : tile.shape[1]] = tile
    return found


def rows_of(outputs: int) -> int:
    """Return the rows of sums that ``outputs`` need: a multiple of :data:`BLOCK`."""
    return -(-outputs // BLOCK) * BLOCK


@compiled
def mac(x: Singles, tile: Singles, outputs: int, first: bool, sums: Singles, count: int) -> None:
    """Add ``tile`` (inputs, outputs) times ``x`` (inputs, samples) to ``sums`` (outputs, samples), input by input.

    ``first`` begins the sums with the first product: with -0.0, the only number to which adding any other gives that.
    Rows of ``x`` and ``sums`` must have ``count`` columns rounded up to :data:`LANES`, and ``tile`` and ``sums``
    outputs up to :data:`BLOCK`; what stands there is of no meaning.
    """
    x_at, tile_at, sums_at = x.ctypes.data, tile.ctypes.data, sums.ctypes.data
    x_row, tile_row, sums_row = x.strides[0], tile.strides[0], sums.strides[0]
    for at in range(0, count, LANES):
        for j in range(0, outputs, BLOCK):
            if first:
                sums[j : j + BLOCK, at : at + LANES] = np.float32(-0.0)
            into = sums_at + 4 * at + sums_row * j
            if outputs - j > BLOCK // 2:
                _eight(x_at + 4 * at, x_row, tile_at + 4 * j, tile_row, x.shape[0], into, sums_row)
            else:
                _four(x_at + 4 * at, x_row, tile_at + 4 * j, tile_row, x.shape[0], into, sums_row)
