"""A progress that keeps what it is told, and a small trained classifier whose right answers are known."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mlpress import Dataset
from mlpress.ir import ArgmaxHead, Dense, Linear, Model, Relu


@dataclass
class Told:
    """Steps, notes and warnings in the order that they came."""

    steps: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def step(self, name: str) -> None:
        self.steps.append(name)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def warn(self, text: str) -> None:
        self.warnings.append(text)


NAMES = ("length", "width", "height")


def rows(count: int = 120, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features float64 (count, 3) in 0..1 and labels int64 (count,): which feature is the largest."""
    features = np.random.default_rng(seed).uniform(0, 1, (count, 3))
    return features, np.argmax(features, axis=1)


def classifier(inputs: tuple[str, ...] = NAMES, classes: tuple[int | str, ...] = (0, 1, 2)) -> Model:
    """The 3-3-3 network that decides :func:`rows` rightly."""
    layers = (Dense(np.eye(3), np.zeros(3), Relu()), Dense(np.eye(3), np.zeros(3), Linear()))
    return Model(inputs, np.ones(3), np.zeros(3), layers, ArgmaxHead(), classes)


def data(labels: tuple[int | str, ...] = (0, 1, 2), names: tuple[str, ...] | None = NAMES, count: int = 120) -> Dataset:
    """:func:`rows` with class k called ``labels[k]``."""
    features, classes = rows(count)
    return Dataset.from_arrays(features, [labels[k] for k in classes], names)
