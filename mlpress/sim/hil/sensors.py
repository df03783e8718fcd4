"""Sensors between the rows of data and a device: what a converter, noise and lost samples make of a feature.

Full scale is the range of a feature in the rows, unless a model says otherwise.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError


class Sensor(Protocol):
    """A step between the world and a device."""

    def distort(self, features: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return what becomes of ``features``, float64 (rows, inputs), one row after the other."""


@dataclass(frozen=True, slots=True)
class Adc:
    """An ideal converter of 1 to 24 ``bits``: the nearest of its levels from ``low`` to ``high``."""

    bits: int = 8
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= 24:
            raise MlpressError(f"sensor adc has {self.bits} bits; give 1 to 24")
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise MlpressError(f"sensor adc goes from {self.low:g} to {self.high:g}; high must be above low")

    def distort(self, features: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return the value of the level that each feature is nearest to."""
        low = features.min(axis=0) if self.low is None else np.full(features.shape[1], self.low)
        high = features.max(axis=0) if self.high is None else np.full(features.shape[1], self.high)
        step = np.where(high > low, high - low, 1.0) / ((1 << self.bits) - 1)
        levels = np.rint((np.clip(features, low, np.maximum(low, high)) - low) / step)
        return np.asarray(low + levels * step, np.float64)


@dataclass(frozen=True, slots=True)
class Noise:
    """Gaussian noise of standard deviation ``sigma``, as a share of full scale."""

    sigma: float = 0.01

    def __post_init__(self) -> None:
        if not 0 <= self.sigma < 1e6:
            raise MlpressError(f"sensor noise has sigma {self.sigma:g}; give a share of full scale, 0 or more")

    def distort(self, features: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return the features with noise of their own each."""
        noise = rng.normal(size=features.shape) * self.sigma * np.ptp(features, axis=0)
        return np.asarray(features + noise, np.float64)


@dataclass(frozen=True, slots=True)
class Missing:
    """Samples that are lost with probability ``rate``: the feature keeps its value of the row before, at first 0."""

    rate: float = 0.01

    def __post_init__(self) -> None:
        if not 0 <= self.rate <= 1:
            raise MlpressError(f"sensor missing has rate {self.rate:g}; give a probability, 0 to 1")

    def distort(self, features: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return the features as they were last seen."""
        seen = rng.random(features.shape) >= self.rate
        last = np.maximum.accumulate(np.where(seen, np.arange(len(features))[:, None], -1), axis=0)
        held = np.take_along_axis(features, np.maximum(last, 0), axis=0)
        return np.where(last >= 0, held, 0.0)


MOST = 1e300
"""What an option of a sensor may be at most, and minus that at least."""

SENSORS: dict[str, type[Adc] | type[Noise] | type[Missing]] = {"adc": Adc, "noise": Noise, "missing": Missing}


def read_sensor(text: str) -> Sensor:
    """Return the sensor of ``adc:bits=6,low=0,high=3.3``, ``noise:sigma=0.02`` or ``missing:rate=0.01``."""
    name, _, rest = text.partition(":")
    kind = SENSORS.get(name)
    if kind is None:
        raise MlpressError(f"no sensor {name[:200]!r}; there are {', '.join(SENSORS)}")
    known = {one.name: int if one.type == "int" else float for one in dataclasses.fields(kind)}
    options: dict[str, float] = {}
    for part in filter(None, rest.split(",")):
        key, _, value = part.partition("=")
        if key not in known:
            raise MlpressError(f"sensor {name} has no option {key[:200]!r}; there are {', '.join(known)}")
        try:
            options[key] = known[key](value)
        except ValueError:
            raise MlpressError(f"option {key} of sensor {name} is {value[:50]!r}; give a number") from None
        if not -MOST <= options[key] <= MOST:
            raise MlpressError(
                f"option {key} of sensor {name} is {value[:50]!r}; give a finite number, within {MOST:g}"
            )
    return kind(**options)  # type: ignore[arg-type]


def distort(features: NDArray[np.float64], sensors: Sequence[Sensor], seed: int) -> NDArray[np.float64]:
    """Return ``features``, float64 (rows, inputs), after all ``sensors`` in turn; same seed, same values."""
    for index, sensor in enumerate(sensors):
        features = sensor.distort(features, np.random.default_rng((seed, index)))
    return features
