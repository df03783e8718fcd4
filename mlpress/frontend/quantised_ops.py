"""Which operators work on integers: quantisers, and layers from codes to codes."""

from __future__ import annotations

from collections.abc import Callable

from mlpress.errors import MlpressError
from mlpress.frontend import qdq
from mlpress.frontend.node import Node
from mlpress.frontend.symbolic import Flow, Value
from mlpress.ir import LeakyRelu, Sigmoid

OPERATORS = (
    "QuantizeLinear",
    "DequantizeLinear",
    "com.microsoft.QGemm",
    "QLinearMatMul",
    "com.microsoft.QLinearAdd",
    "com.microsoft.QLinearSigmoid",
    "com.microsoft.QLinearLeakyRelu",
)


def apply_quantised(node: Node, added: Callable[[Flow, Flow], Flow]) -> Value:
    """Apply one of :data:`OPERATORS`; ``added`` gives the sum of two values computed from the features."""
    match node.op.removeprefix("com.microsoft."):
        case "QuantizeLinear":
            return qdq.quantize(node)
        case "DequantizeLinear":
            return qdq.dequantize(node)
        case "QGemm":
            return qdq.q_gemm(node)
        case "QLinearMatMul":
            return qdq.q_linear_matmul(node)
        case "QLinearAdd":
            return qdq.q_linear_add(node, added)
        case "QLinearSigmoid":
            return qdq.q_activation(node, lambda flow: flow.activation(Sigmoid()))
        case "QLinearLeakyRelu":
            alpha = node.real("alpha", 0.01)
            return qdq.q_activation(node, lambda flow: flow.activation(LeakyRelu(alpha)))
        case op:
            raise MlpressError(f"{op} is not supported")
