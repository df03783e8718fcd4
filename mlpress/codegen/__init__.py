"""Programs written out for other tools."""

from typing import TYPE_CHECKING

from mlpress._lazy import lazy_door

if TYPE_CHECKING:
    from mlpress.codegen.audit import AuditReport, audit
    from mlpress.codegen.onnx import onnx_model, onnx_net
    from mlpress.codegen.verilog import verilog

__all__ = ["AuditReport", "audit", "onnx_model", "onnx_net", "verilog"]

__getattr__ = lazy_door(
    __name__,
    {"AuditReport": "audit", "audit": "audit", "onnx_model": "onnx", "onnx_net": "onnx", "verilog": "verilog"},
)
