"""The rules of the bit level."""

from __future__ import annotations

import numpy as np

from mlpress.ir.checks import check_classes, check_count, check_float, check_inputs, check_int, fail
from mlpress.ir.circuit import Circuit, index_bits
from mlpress.ir.limits import MAX_ANDS, MAX_CLASSES, MAX_LEVELS, MAX_NEURONS, MAX_WORD, UNARY_LEVELS
from mlpress.ir.verify_net import check_input
from mlpress.progress import counted


def verify_circuit(circuit: Circuit) -> None:
    """Raise :class:`MlpressError` at the first rule of the bit level that ``circuit`` breaks."""
    check_inputs([feature.name for feature in circuit.inputs])
    for index, feature in enumerate(circuit.inputs):
        check_input(feature, f"input {index}")
    check_count(sum(len(feature.levels or ()) for feature in circuit.inputs), 0, MAX_LEVELS, "inputs", "kept levels")
    for index, feature in enumerate(circuit.inputs):
        if feature.interface == "unary":
            check_count(feature.width, 0, UNARY_LEVELS, f"input {index}", "levels of a unary input")
    check_count(circuit.input_bits, 1, 1 << 31, "inputs", "input bits")
    _check_ands(circuit)
    highest = 2 * circuit.variables - 1
    for k, word in enumerate(circuit.outputs):
        for j, literal in enumerate(word):
            check_int(literal, 0, highest, f"output {k}, bit {j}", "literal")
    if circuit.scores is None:
        _check_classifier(circuit)
    else:
        _check_regression(circuit)


def _check_ands(circuit: Circuit) -> None:
    ands = circuit.ands
    if not isinstance(ands, np.ndarray) or ands.dtype != np.int32 or ands.ndim != 2 or ands.shape[1] != 2:
        fail("ands", "the gates must be an int32 array (gates, 2)")
    check_count(len(ands), 0, MAX_ANDS, "ands", "gates")
    own = 2 * (1 + circuit.input_bits + np.arange(len(ands)))
    bad = np.flatnonzero(((ands < 0) | (ands >= own[:, None])).any(axis=1))
    if len(bad):
        gate = int(bad[0])
        a, b = ands[gate].tolist()
        fail(f"and {gate}", f"it reads literals {a} and {b}; both must be within 0..{own[gate] - 1}, made before it")


def _check_classifier(circuit: Circuit) -> None:
    check_count(len(circuit.classes), 2, MAX_CLASSES, "classes", "classes under a circuit that decides")
    check_classes(circuit.classes, len(circuit.classes))
    check_count(len(circuit.outputs), 1, 1, "outputs", "words of a circuit that decides")
    width, bits = index_bits(len(circuit.classes)), len(circuit.outputs[0])
    if bits != width:
        fail(
            "output 0",
            f"{counted(bits, 'bit')}; the index of {counted(len(circuit.classes), 'class', 'classes')} has {width}",
        )


def _check_regression(circuit: Circuit) -> None:
    assert circuit.scores is not None
    check_classes(circuit.classes, 0)
    words, scale, offset = circuit.outputs, circuit.scores.scale, circuit.scores.offset
    check_count(len(words), 1, MAX_NEURONS, "outputs", "scores")
    if not len(words) == len(scale) == len(offset):
        fail("scores", f"{len(words)} words, {len(scale)} scales and {len(offset)} offsets; the three must agree")
    for value in (*scale, *offset):
        check_float(value, "scores", "a scale or offset")
    for k, word in enumerate(words):
        check_count(len(word), 1, MAX_WORD, f"output {k}", "bits")
