"""Vega, the one chart library of the reports: its code, to be written into a page, and the specifications beside it.

Specifications are JSON files in ``specs/``; their colours are variables of the page's style sheet, so that a picture is
light or dark as the page is.  What comes of models and data is data to them: no text of it is ever an expression.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import Any

KEPT = Path(__file__).parent / "__pycache__"
"""Where the library's code is kept: putting it together takes some seconds."""

SNIPPET = "window.vegaEmbed = vegaEmbed;"

Spec = dict[str, Any]


@cache
def library() -> str:
    """Return the JavaScript of Vega and vega-embed, which ``vl-convert`` brings along; nothing is fetched."""
    kept = KEPT / f"vega-{version('vl-convert-python')}.js"
    with suppress(OSError, UnicodeDecodeError):
        if text := kept.read_text(encoding="utf-8"):
            return text
    import vl_convert

    text = str(vl_convert.javascript_bundle(SNIPPET))
    text = text.replace("</script", "<\\/script").replace("<!--", "<\\!--")
    with suppress(OSError):
        KEPT.mkdir(exist_ok=True)
        handle, name = tempfile.mkstemp(dir=KEPT, suffix=".js")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(kept)
    return text


def spec(kind: str, data: Mapping[str, Sequence[Mapping[str, Any]]], **signals: Any) -> Spec:
    """Return the specification ``kind`` with rows by data set (``x`` is ``x_rows`` there), and values of signals."""
    found: Spec = json.loads(_text(kind))
    found["config"] = json.loads(_text("config"))
    for one in found["data"]:
        if (name := one["name"].removesuffix("_rows")) in data:
            one["values"] = [dict(row) for row in data[name]]
    for one in found.get("signals", []):
        if one["name"] in signals:
            one["value"] = signals[one["name"]]
    return found


@cache
def _text(name: str) -> str:
    return (resources.files("mlpress.report") / "specs" / f"{name}.json").read_text(encoding="utf-8")
