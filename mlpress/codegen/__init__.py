"""Programs written out for other tools."""

from typing import TYPE_CHECKING

from mlpress._lazy import lazy_door

if TYPE_CHECKING:
    from mlpress.codegen.oracle.checked import graph_difference, oracle_graph
    from mlpress.codegen.oracle.circuit import onnx_circuit
    from mlpress.codegen.oracle.field import onnx_field
    from mlpress.codegen.oracle.field_functions import FIELD_DOMAIN, encoding_function, layer_function
    from mlpress.codegen.oracle.program import onnx_model, onnx_net
    from mlpress.codegen.oracle.qonnx import qonnx_net
    from mlpress.codegen.verilog.auditing import AuditReport, audit
    from mlpress.codegen.verilog.bench import TestBench, testbench
    from mlpress.codegen.verilog.rtl import check_style, header, simulate, styles_of, to_verilog

__all__ = [
    "FIELD_DOMAIN",
    "AuditReport",
    "TestBench",
    "audit",
    "check_style",
    "comparators",
    "converters_csv",
    "encoding_function",
    "front_end",
    "graph_difference",
    "header",
    "layer_function",
    "onnx_circuit",
    "onnx_field",
    "onnx_model",
    "onnx_net",
    "oracle_graph",
    "qonnx_net",
    "simulate",
    "styles_of",
    "testbench",
    "to_verilog",
]

__getattr__ = lazy_door(
    __name__,
    {
        "AuditReport": "verilog.auditing",
        "TestBench": "verilog.bench",
        "audit": "verilog.auditing",
        "check_style": "verilog.rtl",
        "FIELD_DOMAIN": "oracle.field_functions",
        "encoding_function": "oracle.field_functions",
        "graph_difference": "oracle.checked",
        "comparators": "verilog.front_end",
        "converters_csv": "verilog.front_end",
        "front_end": "verilog.front_end",
        "header": "verilog.rtl",
        "layer_function": "oracle.field_functions",
        "onnx_circuit": "oracle.circuit",
        "onnx_field": "oracle.field",
        "onnx_model": "oracle.program",
        "onnx_net": "oracle.program",
        "oracle_graph": "oracle.checked",
        "qonnx_net": "oracle.qonnx",
        "simulate": "verilog.rtl",
        "styles_of": "verilog.rtl",
        "testbench": "verilog.bench",
        "to_verilog": "verilog.rtl",
    },
)
