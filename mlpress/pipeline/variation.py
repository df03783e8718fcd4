"""Variation of printed copies: the accuracy of a design when every copy differs from the drawing.

A comparator's threshold is off by an amount of its own, for good: normally distributed, with a standard deviation that
is a share of the feature's full scale.  A cell fails for good with a small probability, its output stuck at 0 or 1,
each as often.  Every copy is drawn once and decides all rows; the mapped netlist answers, for combinations of
comparators too that no sound copy can show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpress import codegen, ir
from mlpress.design import Design
from mlpress.errors import MlpressError
from mlpress.hw import printed
from mlpress.pipeline.field_search import FieldSearch
from mlpress.pipeline.result import SearchResult
from mlpress.pipeline.starts import MOST_BITS
from mlpress.targets import PrintedArtifact

COPIES = 1000
"""Printed copies that are drawn by default."""

CURVE = (0.0, 0.005, 0.01, 0.02, 0.03, 0.05)
"""Offsets, as shares of full scale, of the curve of accuracy."""

MOST_BYTES = 1 << 28
"""Copies are run so many at once that their nets take about this much memory."""


@dataclass(frozen=True, slots=True)
class Variation:
    """How accurate ``copies`` printed copies are: ``mean``, ``fifth`` percentile, and the ``share`` (yield) of those
    that reach the accuracy ``enough``, where one is asked for.

    ``offset_sigma`` is in shares of full scale, ``defect_rate`` per cell; ``drawn`` is the accuracy of a copy without
    either.
    """

    offset_sigma: float
    defect_rate: float
    copies: int
    rows: int
    drawn: float
    mean: float
    fifth: float
    enough: float | None
    share: float | None

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Faults:
    """Faults of printed ``copies``: :class:`Variation` has the figures; ``offset_sigma`` may be left out.

    Raises :class:`MlpressError` where a figure is out of range.
    """

    offset_sigma: float | None = None
    defect_rate: float = 0.0
    copies: int = COPIES

    def __post_init__(self) -> None:
        check_variation(self.offset_sigma or 0.0, self.defect_rate, self.copies)

    @property
    def any(self) -> bool:
        """Whether copies are asked for."""
        return self.offset_sigma is not None or bool(self.defect_rate)


def vary(
    netlist: printed.Netlist,
    technology: printed.Technology,
    inputs: tuple[ir.Input, ...],
    features: NDArray[np.float64],
    labels: NDArray[np.int64],
    *,
    offset_sigma: float = 0.0,
    defect_rate: float = 0.0,
    copies: int = COPIES,
    enough: float | None = None,
    seed: int = 0,
) -> Variation:
    """Return the accuracy of copies of a ``netlist`` with unary ``inputs`` on real ``features`` (rows, inputs).

    Equal arguments give equal copies; copies of one seed have the same offsets, in standard deviations, at every sigma.
    Raises :class:`MlpressError` where a figure is out of range, or where the inputs are no comparators.
    """
    check_variation(offset_sigma, defect_rate, copies)
    if any(feature.interface == "binary" for feature in inputs):
        raise MlpressError("only circuits that read comparators can be varied; build it with --interface unary")
    linked = printed.link(netlist, technology)
    found = list(codegen.comparators(inputs))
    rng = np.random.default_rng((seed, 12))
    offsets = offset_sigma * rng.standard_normal((copies, len(found)))
    faults = _faults(np.random.default_rng((seed, 13)), defect_rate, copies, len(netlist.names))
    places = [features[:, each.number] * inputs[each.number].scale + inputs[each.number].offset for each in found]

    def accuracies(some: slice) -> NDArray[np.float64]:
        bits = {}
        for j, (each, place) in enumerate(zip(found, places, strict=True)):
            moved = place[None, :] + offsets[some, j, None] * (each.reach / each.share)
            bits[each.port] = moved > each.reach if each.strict else moved >= each.reach
        decided = printed.run_copies(linked, bits, None if faults is None else faults[some])["y"]
        right: NDArray[np.float64] = (decided == labels).mean(axis=1)
        return right

    together = max(1, MOST_BYTES // (len(netlist.nets) * 8 * (1 + len(labels) // 64) + 16 * len(labels)))
    shares = np.concatenate([accuracies(slice(k, k + together)) for k in range(0, copies, together)])
    offsets, faults = np.zeros((1, len(found))), None
    drawn = float(accuracies(slice(0, 1))[0])
    return Variation(
        offset_sigma,
        defect_rate,
        copies,
        len(labels),
        drawn,
        float(shares.mean()),
        float(np.percentile(shares, 5)),
        enough,
        None if enough is None else float(np.mean(shares >= enough)),
    )


def check_variation(offset_sigma: float, defect_rate: float, copies: int = COPIES) -> None:
    """Raise :class:`MlpressError` where a figure is out of range."""
    if not 0 <= offset_sigma <= 1:
        raise MlpressError(f"the offsets' sigma is {offset_sigma:g}; it is a share of full scale, 0 to 1")
    if not 0 <= defect_rate <= 1:
        raise MlpressError(f"the defect rate is {defect_rate:g}; it is a probability, 0 to 1")
    if not 1 <= copies <= 100_000:
        raise MlpressError(f"{copies} copies cannot be drawn; ask for 1 to 100000")


def _faults(rng: np.random.Generator, rate: float, copies: int, cells: int) -> NDArray[np.int8] | None:
    """Draw int8 (copies, cells): 0 sound, 1 stuck at 0, 2 stuck at 1."""
    if not rate:
        return None
    broken = rng.random((copies, cells)) < rate
    return np.where(broken, rng.integers(1, 3, (copies, cells)), 0).astype(np.int8)


def with_variation(
    design: Design,
    features: NDArray[np.float64],
    labels: NDArray[np.int64],
    *,
    offset_sigma: float,
    defect_rate: float = 0.0,
    copies: int = COPIES,
    enough: float | None = None,
    curve: Sequence[float] = CURVE,
    seed: int = 0,
) -> Design:
    """Return the design with the fact ``variation``: its copies at ``offset_sigma`` and ``defect_rate``, and a curve.

    ``features`` and ``labels`` (class indices) are the rows that accuracies are counted on, and ``enough`` is the
    accuracy asked for.  Raises where the design is no printed circuit behind comparators.
    """
    artifact = design.artifact
    if not isinstance(artifact, PrintedArtifact):
        raise MlpressError(f"copies of designs for {design.facts.get('target')} do not vary; print the design")
    inputs = artifact.lowered.inputs

    def at(sigma: float, rate: float) -> Variation:
        return vary(
            artifact.netlist,
            artifact.technology,
            inputs,
            features,
            labels,
            offset_sigma=sigma,
            defect_rate=rate,
            copies=copies,
            enough=enough,
            seed=seed,
        )

    found = at(offset_sigma, defect_rate)
    points = [found if (s, defect_rate) == (offset_sigma, 0.0) else at(s, 0.0) for s in curve]
    known = [{"offset_sigma": each.offset_sigma, "mean": each.mean, "fifth": each.fifth} for each in points]
    return design.with_facts(design.facts | {"variation": found.to_json() | {"curve": known, "seed": seed}})


def offset_curve(
    circuit: ir.Circuit,
    features: NDArray[np.float64],
    labels: NDArray[np.int64],
    *,
    copies: int = COPIES,
    curve: Sequence[float] = CURVE,
    seed: int = 0,
) -> list[dict[str, float]]:
    """Return the accuracy of copies of a ``circuit`` with unary inputs, mean and 5th percentile, at every sigma.

    The and-inverter graph answers, so that nothing is synthesised; copies are drawn as :func:`vary` draws them.
    """
    from mlpress.approx.gates import offset_bits
    from mlpress.sim import packed

    program = packed.Program.of_ands(circuit.input_bits, circuit.ands)
    word = np.array(circuit.outputs[0])
    scale, offset = (np.array([getattr(each, part) for each in circuit.inputs]) for part in ("scale", "offset"))
    places, rows = features * scale + offset, len(labels)
    drawn = np.random.default_rng((seed, 12)).standard_normal((copies, circuit.input_bits))
    together = max(1, MOST_BYTES // (rows * (circuit.input_bits + len(circuit.ands) // 8 + 64)))
    found = []
    for sigma in curve:
        shares: list[float] = []
        for k in range(0, copies, together):
            some = sigma * drawn[k : k + together]
            copy = np.repeat(np.arange(len(some)), rows)
            bits = packed.pack(offset_bits(circuit.inputs, np.tile(places, (len(some), 1)), some, copy))
            said = packed.unpack(packed.run(program, bits, word >> 1), len(copy)) ^ (word[:, None] & 1 == 1)
            decided = (said * (1 << np.arange(len(word)))[:, None]).sum(axis=0).reshape(len(some), rows)
            shares += (decided == labels).mean(axis=1).tolist()
        found.append({"offset_sigma": sigma, "mean": float(np.mean(shares)), "fifth": float(np.percentile(shares, 5))})
    return found


def with_copies(design: Design, found: SearchResult | FieldSearch, faults: Faults, seed: int) -> Design:
    """Return a design of a search with the fact ``variation``, on test rows where there are some, else on all rows.

    Raises :class:`MlpressError` for fields, which are not printed.
    """
    if not isinstance(found, SearchResult):
        raise MlpressError("only printed designs have printed copies; leave faults out")
    judged, most_loss = found.test or found.dataset, found.limits.max_loss
    labels = judged.labels.astype(np.int64)
    varied = with_variation(
        design,
        judged.features,
        labels,
        offset_sigma=faults.offset_sigma or 0.0,
        defect_rate=faults.defect_rate,
        copies=faults.copies,
        enough=None if most_loss is None else found.reference - most_loss,
        seed=seed,
    )
    others = [
        {"name": name, "curve": offset_curve(circuit, judged.features, labels, copies=faults.copies, seed=seed)}
        for name, circuit in _beside(design, found)
    ]
    return varied.with_facts(varied.facts | {"variation": varied.facts["variation"] | {"others": others}})


def _beside(design: Design, found: SearchResult) -> list[tuple[str, ir.Circuit]]:
    """Return the circuits that the curve of a design is compared with: a decision tree, and the exact network."""
    from mlpress.approx.gates import nearest_tree

    circuits = []
    if found.trees:
        tree = nearest_tree(found.trees, design.facts["accuracy"]["validation"])
        circuits.append((f"tree of {tree.leaves} leaves", tree.circuit))
    small = max(len(feature.reached) for feature in found.exact.inputs) <= ir.UNARY_LEVELS
    if small and found.exact.product_bits <= MOST_BITS:
        circuits.append(("exact network", ir.to_unary(found.exact)))
    return circuits
