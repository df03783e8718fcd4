"""What may be asked of the C generator, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from mlpress.errors import MlpressError

ShapeName = Literal["auto", "unrolled", "looped", "listed", "coded", "dsp", "sliced"]
SHAPES: tuple[str, ...] = ("auto", "unrolled", "looped", "listed", "coded", "dsp", "sliced")
MINIMISE: tuple[str, ...] = ("cycles", "flash")


@dataclass(frozen=True, slots=True)
class COptions:
    """Options of :func:`mlpress.codegen.c.generate`.

    ``name`` prefixes every identifier.  ``shape`` is one of :data:`SHAPES`; ``auto`` lets the cost model choose
    what has the fewest ``cycles`` or the least ``flash`` (``minimise``).  ``skip_zeros`` leaves out the products
    with inputs that are 0 in looped code: fewer cycles on average, a few more at worst, and a run time that
    depends on the data.  ``scores=False`` leaves ``_scores`` out of a classifier.
    ``accumulators`` sets how many registers of sums an inner loop holds, 0 for the core's number; which is best depends
    on the compiler, so that it is worth measuring a few.  ``most_cycles`` is a limit, 0 for none: ``auto`` leaves out
    shapes that the cost model finds slower, or takes the fastest one where all are.
    """

    name: str = "model"
    shape: ShapeName = "auto"
    minimise: Literal["cycles", "flash"] = "cycles"
    skip_zeros: bool = False
    scores: bool = True
    accumulators: int = 0
    most_cycles: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.accumulators <= 16:
            raise MlpressError(f"accumulators is {self.accumulators}; it must be 0 (the core's number) to 16")
        if self.most_cycles < 0:
            raise MlpressError(f"most_cycles is {self.most_cycles}; it must be 0 (no limit) or more")
        if self.shape not in SHAPES:
            raise MlpressError(f"shape is {self.shape!r}; it must be one of {', '.join(SHAPES)}")
        if self.minimise not in MINIMISE:
            raise MlpressError(f"minimise is {self.minimise!r}; it must be cycles or flash")


@dataclass(frozen=True, slots=True)
class CFacts:
    """What the generator knows of its source.

    ``layers`` says how each layer is computed, ``weight_bytes`` counts the bytes of the tables of weights,
    ``table_bytes`` those of biases and thresholds, and ``flash`` and ``cycles`` are the cost model's estimates, not
    measurements.  ``layer_cycles`` are those of each layer, where they are known layer by layer.
    """

    layers: tuple[str, ...]
    weight_bytes: int
    table_bytes: int
    flash: int
    cycles: int
    layer_cycles: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class CSource:
    """A header and a source file by name, the C prefix of their identifiers, the shape of the code, and facts.

    ``code_type`` is the C type of an input code, ``score_type`` that of a score (``None`` where there are no
    scores).  ``decides`` says whether there is a ``_predict``.
    """

    files: Mapping[str, str]
    name: str
    shape: str
    code_type: str
    score_type: str | None
    inputs: int
    scores: int
    decides: bool
    facts: CFacts
