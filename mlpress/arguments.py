"""Options and arguments that commands share: what they are called, and how their text is read."""

from __future__ import annotations

import csv
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mlpress.console import Screen
from mlpress.errors import MlpressError

if TYPE_CHECKING:
    from mlpress.approx import ApproximatePass

Task = Literal["auto", "classification", "regression"]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="A line for every finished step.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Nothing but results and errors.")]
Strict = Annotated[
    bool, typer.Option("--strict", help="Take every warning for an error: exit code 2, nothing written.")
]
Label = Annotated[
    str | None, typer.Option(help="Label column: its name, or its number without a header (default: last).")
]
Features = Annotated[
    str | None,
    typer.Option(help="Columns in the order that the model expects: a,b,c (default: by name, else as they come)."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]
Target = Annotated[str, typer.Option("--target", "-t", help="Technology or core; `mlpress targets` lists them.")]
Liberty = Annotated[Path | None, typer.Option(help="A liberty file of your own in place of the target's cells.")]
InputBits = Annotated[int, typer.Option(help="Bits of each input's code.")]
WeightBits = Annotated[int, typer.Option(help="Bits of each weight.")]
ActivationBits = Annotated[int, typer.Option(help="Bits of each hidden output.")]
SearchLevel = Literal["integer", "gates", "both"]
Start = Literal["model", "tree"]
Levels = Annotated[
    int, typer.Option(help="Comparators per input, at thresholds chosen from the rows (at most 63; 0: an even grid).")
]
Cuts = Annotated[str, typer.Option(help="How they are chosen: uniform, quantiles, information or mdl.")]
Interface = Annotated[
    str | None,
    typer.Option(help="How codes come in: unary (comparators, counted; the default where known) or binary."),
]
OffsetSigma = Annotated[
    float | None, typer.Option(help="State accuracy over printed copies: comparators' offsets, share of full scale.")
]
Effort = Annotated[str | None, typer.Option(help="Synthesis effort: fast, default or thorough.")]
Rate = Annotated[float | None, typer.Option(help="Inferences per second that power and energy are stated for.")]
TargetOption = Annotated[
    list[str] | None, typer.Option("--option", "-O", help="An option of the target: name=value; repeat for more.")
]
Output = Annotated[Path, typer.Option("--output", "-o", help="Design folder to write.")]


def new_screen(verbose: bool, quiet: bool, as_json: bool, strict: bool = False) -> Screen:
    """Return the terminal, as loud as was asked for."""
    return Screen(-1 if quiet else int(verbose), as_json=as_json, strict=strict)


def read_given(texts: list[str] | None, **known: object) -> dict[str, object]:
    """Return the target's options that were given: by their own flags, and as ``name=value``."""
    found = {name: value for name, value in known.items() if value is not None}
    for text in texts or []:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise MlpressError(f"{text[:200]!r} is no option; write name=value")
        found[name] = read_value(value)
    return found


def read_most(texts: list[str], area: float | None, power: float | None) -> dict[str, float]:
    """Return the limits by metric of ``--max NAME=VALUE`` and its short forms; of two for one metric, the tighter."""
    given = [(name, value) for name, value in (("area", area), ("power", power)) if value is not None]
    for text in texts:
        name, _, number = text.partition("=")
        try:
            given.append((name.strip(), float(number)))
        except ValueError:
            raise MlpressError(f"--max {text[:200]!r} is no limit; write name=value, as in flash=1024") from None
    return {name: min(value for other, value in given if other == name) for name, _ in given}


def read_value(text: str) -> object:
    """Return a whole number, a number, a truth value, or the text itself."""
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return text


def read_passes(texts: list[str]) -> list[ApproximatePass]:
    """Return the passes of ``--approx``."""
    if not texts:
        return []
    from mlpress.approx import read_pass

    return [read_pass(text) for text in texts]


def read_columns(text: str | None) -> list[str] | None:
    """Return names that have commas between them; quotes hold a name with a comma together."""
    if text is None:
        return None
    try:
        found = next(csv.reader([text], skipinitialspace=True), [])
    except csv.Error as error:
        raise MlpressError(f"--features {text[:40]!r}: {error}; write a,b,c") from None
    return [name.strip() for name in found]


def read_numbers(text: str, option: str) -> tuple[int, ...]:
    """Return the whole numbers of ``2,3,4``."""
    words = [word.strip() for word in text.split(",")]
    if not all(re.fullmatch(r"\d{1,3}", word) for word in words):
        raise MlpressError(f"{option} {text[:80]!r} is no list of whole numbers; write 2,3,4")
    return tuple(int(word) for word in words)


def read_seconds(text: str) -> float:
    """Return the seconds of ``90s``, ``5m`` or ``1h``."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|h)?", text.strip())
    if found is None:
        raise MlpressError(f"{text!r} is no time; write 90s, 5m or 1h")
    return float(found[1]) * {"s": 1.0, "m": 60.0, "h": 3600.0}[found[2] or "s"]
