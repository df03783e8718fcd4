"""From real numbers to integers: :func:`quantise`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.frontend.calibrate import Bits, InputRange, calibrated
from mlpress.frontend.data import Dataset
from mlpress.frontend.exact import exact_layers, holds_integers, inexact_place, with_coded_inputs
from mlpress.frontend.integer import IntegerLayer, Ints, as_net, decisions, forward, input_codes
from mlpress.intervals import score
from mlpress.ir import Input, Ladder, Model, Net, QRelu, interpret_model, score_values

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Report:
    """What quantisation did to a model, measured on the calibration rows.

    ``metric`` is the ``"accuracy"`` of classes, or ``"r2"``, the coefficient of determination, for a regression.
    ``model_score`` and ``net_score`` are that of the model and of the integer network against the labels, and
    ``agreement`` that of the network against the model (for classes: the share of rows with the same class).
    ``saturation`` holds, for each hidden layer, the share of values cut off at the largest code; of a ladder's,
    the share at the largest code.  ``exact`` says that the model's own integers were kept.  ``remark`` is what was
    suspicious, or empty.
    """

    metric: Literal["accuracy", "r2"]
    model_score: float
    net_score: float
    agreement: float
    saturation: tuple[float, ...]
    rows: int
    exact: bool
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Quantised:
    """An integer network and the report of its making."""

    net: Net
    report: Report


def quantise(
    model: Model,
    dataset: Dataset,
    *,
    input_bits: int = 4,
    weight_bits: int = 8,
    activation_bits: int = 8,
    ladder_bits: int = 4,
    quantile: float = 0.999,
    input_range: InputRange = "auto",
    keep_integers: bool = True,
    output_codes: bool = True,
) -> Quantised:
    """Quantise ``model`` to an integer network, with the scales that the rows of ``dataset`` ask for.

    * Inputs become ``input_bits`` wide codes, ``floor`` of the feature over the range of its rows.  With
      ``input_range="unit"`` the range is 0 to 1 of the model's own scaling; ``"auto"`` takes it where all rows lie
      within it and most features fill more than half of it (a ``MinMaxScaler``), else ``"data"``.
    * Weights become integers of ``weight_bits``, the largest scale a power of two for each layer; a clipped
      activation sets its layer's scale instead.
    * ReLU, clip and hard sigmoid become :class:`mlpress.ir.QRelu` of ``activation_bits``, shifted so that of each
      neuron no more than ``1 - quantile`` of the rows saturate.  Other activations become ladders of
      ``2**ladder_bits - 1`` thresholds; each threshold costs a comparator.
    * Biases take up the mean of the rounding before them.

    A model that was quantised by its trainer keeps its integers instead (``keep_integers``), its codes and its
    rounding; the bits above then say nothing, but for inputs that it left real: they become codes of ``input_bits``,
    of steps that are powers of two.  Where other values were left real, a warning says so and all is quantised anew.
    Where the model quantises its scores, ``output_codes=False`` decides the class on the sums before that, which is
    much cheaper and differs where codes tie or saturate.

    Raises :class:`MlpressError` for options out of range and for a ``dataset`` that does not fit the model.
    """
    bits = Bits(input_bits, weight_bits, activation_bits, ladder_bits, quantile)
    data = dataset.for_model(model)
    model = replace(model, inputs=data.names)
    remark = ""
    kept, place = model, inexact_place(model) if keep_integers else "any value"
    if place == "its inputs" and holds_integers(model):
        kept = with_coded_inputs(model, data.features, input_bits)
        place = inexact_place(kept)
    if keep_integers and place is not None and holds_integers(model):
        remark = (
            f"the model's integers are not kept, all is quantised anew: no integers stand for {place}; quantise these "
            "in training too, or compare the accuracies"
        )
    if place is None:
        inputs, layers, head = exact_layers(kept, output_codes)
    else:
        inputs, layers, head = calibrated(model, data.features, bits, input_range)
    net = as_net(filling(inputs, kept), layers, head, data.classes)
    report = _report(model, data, layers, net, place is None and kept is model)
    return Quantised(net, replace(report, remark=remark))


def exact_net(model: Model) -> Net:
    """Return the integer network of a model that its trainer quantised whole.

    Raises :class:`MlpressError` naming the first values that no integers stand for.
    """
    place = inexact_place(model)
    if place is not None:
        raise MlpressError(
            f"no integers stand for {place}, so the model is not quantised whole; give rows to quantise it on (--data)"
        )
    inputs, layers, head = exact_layers(model, output_codes=True)
    return as_net(filling(inputs, model), layers, head, model.classes)


def filling(inputs: tuple[Input, ...], model: Model) -> tuple[Input, ...]:
    """Return ``inputs`` with what stands for missing values in ``model``."""
    if not model.missing:
        return inputs
    return tuple(replace(one, missing=value) for one, value in zip(inputs, model.missing, strict=True))


def _report(model: Model, data: Dataset, layers: list[IntegerLayer], net: Net, exact: bool) -> Report:
    sums, outputs = forward(layers, input_codes(net.inputs, data.features))
    values, classes = interpret_model(model, data.features)
    saturation = tuple(
        float(np.mean(_saturated(layer, total, code)))
        for layer, total, code in zip(layers[:-1], sums, outputs, strict=False)
    )
    decided = decisions(net.head, outputs[-1])
    if decided is None or classes is None:
        truth, ours = data.labels.reshape(len(data), -1), score_values(net, outputs[-1])
        scores = (score(truth, values), score(truth, ours), score(values, ours))
        return Report("r2", *scores, saturation, len(data), exact)
    scores = (score(data.labels, classes), score(data.labels, decided), score(classes, decided))
    return Report("accuracy", *scores, saturation, len(data), exact)


def _saturated(layer: IntegerLayer, sums: Ints, codes: Ints) -> NDArray[np.bool_]:
    columns = []
    for j, activation in enumerate(layer.activations):
        match activation:
            case QRelu(shift=shift, bits=bits):
                columns.append(sums[:, j] >> shift >= 1 << bits)
            case Ladder(thresholds=thresholds):
                columns.append(codes[:, j] == len(thresholds))
    return np.stack(columns, axis=1)
