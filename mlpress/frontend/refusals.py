"""Why an operator cannot be read: the true reason, and what to do instead."""

from __future__ import annotations

_ROWS = "its scale depends on each row's own values, which no layer of fixed weights does"
_DYNAMIC = "dynamic quantisation has no fixed scales; quantise the model statically (quantize_static)"
_TREES = "decision trees are no network of layers; train an MLP, or search with --start tree"
_REASONS = {
    "DynamicQuantizeLinear": _DYNAMIC,
    "MatMulInteger": _DYNAMIC,
    "LayerNormalization": f"{_ROWS}; use BatchNormalization, which becomes part of a layer",
    "RMSNormalization": f"{_ROWS}; use BatchNormalization, which becomes part of a layer",
    "InstanceNormalization": f"{_ROWS}; use BatchNormalization, which becomes part of a layer",
    "GroupNormalization": f"{_ROWS}; use BatchNormalization, which becomes part of a layer",
    "ThresholdedRelu": "it jumps at its threshold; use an activation without a jump, or Sign",
    "TreeEnsembleClassifier": _TREES,
    "TreeEnsembleRegressor": _TREES,
    "TreeEnsemble": _TREES,
    "SVMClassifier": "a kernel machine is no network of layers; train an MLP or a linear classifier",
    "SVMRegressor": "a kernel machine is no network of layers; train an MLP or a linear regressor",
    "BitCast": "the bits of a real number are read, as some exporters write ArgMax; export the scores without it",
    "Bitcast": "the bits of a real number are read, as some exporters write ArgMax; export the scores without it",
    "FloatQuant": "a quantiser to small floats has no evenly spaced codes; quantise to integers",
    "RNN": "a recurrent layer is no MLP",
    "LSTM": "a recurrent layer is no MLP",
    "GRU": "a recurrent layer is no MLP",
}


def reason(operator: str) -> str | None:
    """Return why ``operator`` is refused; ``None`` where no more is known than that it is not supported."""
    name = operator.rpartition(".")[2]
    if name in _REASONS:
        return f"this operator is not supported: {_REASONS[name]}"
    if operator.removeprefix("com.microsoft.").startswith(("QLinear", "QGemm")):
        return "this operator is not supported; quantise the model with QuantFormat.QDQ instead"
    return None
