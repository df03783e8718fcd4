"""Programs written out for other tools."""

from typing import TYPE_CHECKING

from mlpress._lazy import lazy_door

if TYPE_CHECKING:
    from mlpress.codegen.onnx import onnx_model, onnx_net

__all__ = ["onnx_model", "onnx_net"]

__getattr__ = lazy_door(__name__, {"onnx_model": "onnx", "onnx_net": "onnx"})
