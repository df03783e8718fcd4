"""Figures with their sources, as the data files hold them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

Label = Literal["published", "reviewed", "fitted", "assumed"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A value and where it is from.

    ``label``: ``published`` by the machine's or part's makers, ``reviewed`` where only reviews of a paper have it,
    ``fitted`` to published results of the machine itself, ``assumed`` where nothing is published.  ``uncertainty`` says
    how far off the value may be, or that this is not known; areas and powers have one.
    """

    name: str
    value: Any
    label: Label
    source: str
    uncertainty: str = ""

    @property
    def words(self) -> str:
        """Return label, source and uncertainty in a line."""
        return f"{self.label}: {self.source}" + (f"; uncertainty: {self.uncertainty}" if self.uncertainty else "")


@cache
def read_table(file: str) -> dict[str, Any]:
    """Return a JSON file of this package."""
    text = resources.files("mlpress.hw.ngpc").joinpath(file).read_text(encoding="utf-8")
    table: dict[str, Any] = json.loads(text)
    return table


def figures(table: dict[str, list[Any]]) -> tuple[Figure, ...]:
    """Return the figures of a table whose rows are ``name: [value, label, source]``, and the uncertainty of some."""
    return tuple(Figure(name, *row) for name, row in table.items())
