"""The four applications of neural graphics and their three encodings, as published and as fitted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from mlpress.errors import MlpressError
from mlpress.hw.ngpc.figures import Figure, figures, read_table
from mlpress.ir import GridShape

Order = Literal["rays", "sphere", "volume", "raster"]


@dataclass(frozen=True, slots=True)
class Application:
    """An application: its coordinates, networks (widths from input to output), and its frame on the GPU.

    ``frame_ms`` is a frame of ``pixels`` on the GPU; ``share`` of it is encoding and networks.  ``samples_per_pixel``
    are looked up in ``order``; ``directions`` is the number of coordinates beside those of the grid.
    """

    name: str
    title: str
    dimensions: int
    directions: int
    networks: tuple[tuple[int, ...], ...]
    order: Order
    pixels: int
    frame_ms: float
    share: float
    samples_per_pixel: float

    @property
    def samples(self) -> float:
        """Samples of a frame."""
        return self.samples_per_pixel * self.pixels


def application_figures(name: str) -> tuple[Figure, ...]:
    """Return every figure of an application, with its label and source."""
    table = read_table("applications.json")["applications"]
    if name not in table:
        raise MlpressError(f"no application {name[:40]!r}; there are {', '.join(table)}")
    return figures(table[name])


def application(name: str) -> Application:
    """Return the application of this name."""
    values: dict[str, Any] = {figure.name: figure.value for figure in application_figures(name)}
    values["networks"] = tuple(tuple(widths) for widths in values["networks"])
    return Application(name, **values)


def applications() -> tuple[Application, ...]:
    """Return all four."""
    return tuple(application(name) for name in read_table("applications.json")["applications"])


def encodings(name: str) -> dict[str, GridShape]:
    """Return the three encodings of an application by name: ``hashgrid``, ``densegrid``, ``lowres``."""
    rows: dict[str, dict[str, Any]] = {
        key: dict(row) for key, row in read_table("applications.json")["encodings"].items()
    }
    rows["hashgrid"].update((one.name, one.value) for one in _changes(name))
    dimensions = application(name).dimensions
    return {key: GridShape(dimensions=dimensions, **row) for key, row in rows.items()}


def encoding_figures(name: str) -> tuple[Figure, ...]:
    """Return every figure of an application's encodings, with its label and source."""
    table = read_table("applications.json")
    label, source = table["encodings_are"]
    own = {f"hashgrid {one.name}": one for one in _changes(name)}
    found = [
        Figure(f"{key} {field}", value, label, source)
        for key, row in table["encodings"].items()
        for field, value in row.items()
    ]
    return tuple(replace(own[one.name], name=one.name) if one.name in own else one for one in found)


def _changes(name: str) -> tuple[Figure, ...]:
    return figures(read_table("applications.json")["changes"].get(name, {}))


def fused() -> float:
    """Return how much faster the remaining kernels are when fused."""
    return float(read_table("applications.json")["fused"][0])
