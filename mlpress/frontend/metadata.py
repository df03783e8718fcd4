"""Names that exporters leave in a model file's metadata."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from mlpress.errors import MlpressError
from mlpress.frontend.matching import are_counted
from mlpress.frontend.tail import checked_name
from mlpress.ir import Model

FEATURE_KEYS = ("feature_names", "feature_names_in_", "feature_order", "feature_columns", "features", "columns")
"""Keys under which training scripts store the features' names: ONNX itself defines none."""

LARGEST = 1 << 20
"""Characters of an entry that are read."""


def named_inputs(model: Model, entries: Iterable[Any]) -> Model:
    """Return ``model`` with its features called as the file's ``metadata_props`` call them.

    That is a list in JSON, or texts with commas between them, under one of :data:`FEATURE_KEYS`.  Inputs that have
    names of their own keep them, and entries that do not name every feature once are passed over.
    """
    if not are_counted(model.inputs):
        return model
    held = {entry.key: entry.value for entry in entries if entry.key in FEATURE_KEYS}
    for key in FEATURE_KEYS:
        names = _names(held.get(key, ""))
        if len(names) == len(set(names)) == len(model.inputs):
            return replace(model, inputs=names)
    return model


def _names(text: str | bytes) -> tuple[str, ...]:
    if isinstance(text, bytes) or len(text) > LARGEST:  # a text that is not UTF-8 comes out of a message as bytes
        return ()
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = [part.strip() for part in text.split(",")]
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        return ()
    try:
        return tuple(checked_name(name) for name in found)
    except MlpressError:
        return ()
