"""Circuits that answer a number which is no class: counted, shown and named as such."""

from __future__ import annotations

import numpy as np

from mlpress import ir
from mlpress.pipeline.mistakes import decided_facts
from mlpress.report import pictures

FEATURES = np.arange(4.0)[:, None]
CIRCUIT = ir.Circuit(
    (ir.Input("f", 2, 1.0, 0.0),), np.empty((0, 2), np.int32), ((2, 4),), ("a", "b", "c")
)  # answers its input, 0 to 3


def test_answers_that_are_no_class_have_a_column_of_their_own() -> None:
    decided = ir.answers(CIRCUIT, ir.encode(CIRCUIT, FEATURES))
    assert decided.tolist() == [0, 1, 2, 3]
    labels = np.array([0, 1, 1, 2])
    facts = decided_facts(FEATURES, labels, decided, labels, 3)
    assert facts["confusion"] == [[1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]]
    assert facts["missed"]["count"] == 2
    assert decided_facts(FEATURES, labels, labels, labels, 3)["confusion"] == [[1, 0, 0], [0, 2, 0], [0, 0, 1]]


def test_the_picture_names_the_column() -> None:
    drawn = pictures.confusion([[1, 0, 0], [0, 1, 1]], ["a", "no class"])
    assert drawn is not None
    said = [cell["said"] for cell in drawn["data"][0]["values"]]
    assert any("taken for no class" in text for text in said) and len({text.split(":")[0] for text in said}) == 6
    assert pictures.confusion([[1, 0, 0, 0], [0, 1, 1, 0]], ["a", "b"]) is None
    assert pictures.confusion([[1, 0, 0], [0, 1]], ["a", "b"]) is None


def test_predictions_of_no_class_are_named_as_such() -> None:
    codes = ir.encode(CIRCUIT, FEATURES)
    assert ir.predict(CIRCUIT, codes).tolist() == ["a", "b", "c", ""]
    numbered = ir.Circuit(CIRCUIT.inputs, CIRCUIT.ands, CIRCUIT.outputs, (-1, 5, 7))
    assert ir.predict(numbered, codes).tolist() == [-1, 5, 7, -2]
