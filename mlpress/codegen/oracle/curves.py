"""The curves of the real level in standard ONNX operators."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mlpress.codegen.oracle.graph import Graph, onnx_type


def onnx_curve(graph: Graph, name: str, parameters: Sequence[str], x: str, real: np.dtype[np.floating]) -> str:
    """Add the curve ``name`` of :data:`mlpress.ir.CURVES`, with the constants ``parameters``; return its tensor.

    onnxruntime has no ``Erf`` for float64, so ``erf`` and that of ``gelu`` are computed in float32.
    """

    def constant(value: float) -> str:
        return graph.constant(value, real)

    def exponential() -> str:
        return graph.node("Exp", graph.node("Neg", graph.node("Abs", x)))

    def softplus() -> str:  # max(x, 0) + log(1 + exp(-|x|)), which overflows nowhere
        above = graph.node("Log", graph.node("Add", exponential(), constant(1.0)))
        return graph.node("Add", graph.node("Max", x, constant(0.0)), above)

    def error_function(value: str) -> str:
        single = graph.node("Cast", value, to=onnx_type(np.float32))
        return graph.node("Cast", graph.node("Erf", single), to=onnx_type(real))

    def below(scale: str | None) -> str:
        least = graph.node("Min", x, constant(0.0))
        least = least if scale is None else graph.node("Div", least, scale)
        return graph.node("Sub", graph.node("Exp", least), constant(1.0))

    def joined(negative: str) -> str:
        return graph.node("Add", graph.node("Max", x, constant(0.0)), negative)

    match name:
        case "elu":
            return joined(graph.node("Mul", below(None), parameters[0]))
        case "selu":
            return graph.node("Mul", joined(graph.node("Mul", below(None), parameters[0])), parameters[1])
        case "celu":
            return joined(graph.node("Mul", below(parameters[0]), parameters[0]))
        case "softplus":
            return softplus()
        case "erf":
            return error_function(x)
        case "softsign":
            return graph.node("Div", x, graph.node("Add", graph.node("Abs", x), constant(1.0)))
        case "hardswish":
            line = graph.node("Add", graph.node("Div", x, constant(6.0)), constant(0.5))
            factor = graph.node("Clip", line, constant(0.0), constant(1.0))
        case "silu":
            factor = graph.node("Sigmoid", x)
        case "gelu":
            erf = error_function(graph.node("Div", x, constant(math.sqrt(2.0))))
            factor = graph.node("Mul", graph.node("Add", erf, constant(1.0)), constant(0.5))
        case "gelutanh":
            cube = graph.node("Mul", graph.node("Mul", graph.node("Mul", x, x), x), constant(0.044715))
            inner = graph.node("Mul", graph.node("Add", x, cube), constant(math.sqrt(2.0 / math.pi)))
            factor = graph.node("Mul", graph.node("Add", graph.node("Tanh", inner), constant(1.0)), constant(0.5))
        case _:
            factor = graph.node("Tanh", softplus())
    return graph.node("Mul", x, factor)
