"""Programs as ONNX graphs of standard operators, which onnxruntime runs as the oracle."""
