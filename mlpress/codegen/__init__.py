"""Programs written out for other tools."""

from typing import TYPE_CHECKING

from mlpress._lazy import lazy_door

if TYPE_CHECKING:
    from mlpress.codegen.auditing import AuditReport, audit
    from mlpress.codegen.bench import testbench
    from mlpress.codegen.onnx import onnx_model, onnx_net
    from mlpress.codegen.onnx_bits import onnx_circuit
    from mlpress.codegen.rtl import simulate, verilog

__all__ = ["AuditReport", "audit", "onnx_circuit", "onnx_model", "onnx_net", "simulate", "testbench", "verilog"]

__getattr__ = lazy_door(
    __name__,
    {
        "AuditReport": "auditing",
        "audit": "auditing",
        "onnx_circuit": "onnx_bits",
        "onnx_model": "onnx",
        "onnx_net": "onnx",
        "simulate": "rtl",
        "testbench": "bench",
        "verilog": "rtl",
    },
)
