"""Programs written out for other tools."""

from typing import TYPE_CHECKING

from mlpress._lazy import lazy_door

if TYPE_CHECKING:
    from mlpress.codegen.auditing import AuditReport, audit
    from mlpress.codegen.bench import TestBench, testbench
    from mlpress.codegen.onnx import onnx_model, onnx_net
    from mlpress.codegen.onnx_bits import onnx_circuit
    from mlpress.codegen.oracle_graph import graph_difference, oracle
    from mlpress.codegen.rtl import bits_of, check_style, header, simulate, verilog

__all__ = [
    "AuditReport",
    "TestBench",
    "audit",
    "bits_of",
    "check_style",
    "graph_difference",
    "header",
    "onnx_circuit",
    "onnx_model",
    "onnx_net",
    "oracle",
    "simulate",
    "testbench",
    "verilog",
]

__getattr__ = lazy_door(
    __name__,
    {
        "AuditReport": "auditing",
        "TestBench": "bench",
        "audit": "auditing",
        "bits_of": "rtl",
        "check_style": "rtl",
        "graph_difference": "oracle_graph",
        "header": "rtl",
        "onnx_circuit": "onnx_bits",
        "onnx_model": "onnx",
        "onnx_net": "onnx",
        "oracle": "oracle_graph",
        "simulate": "rtl",
        "testbench": "bench",
        "verilog": "rtl",
    },
)
