"""What a search found: designs from small to accurate, each made again from its genes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from mlpress.approx.common.choice import VALIDATION, Measured, csv_text, most_accurate, smallest
from mlpress.approx.integer.space import Space
from mlpress.approx.passes import ApproximatePass, make_pass, without_unread_levels
from mlpress.errors import MlpressError
from mlpress.ir import Net, from_text, to_text

FORMAT = "mlpress front 2"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One design of a front.

    ``genes`` make it again; accuracies are shares of the fitting rows (and their neighbours, see
    :func:`mlpress.approx.search`) and of the validation rows; ``model_cm2`` and
    ``model_mw`` are the cost model's, ``measured`` what synthesis found; ``adc_cm2`` and ``adc_mw`` are the input
    converters' (None where the technology has none), which join area and power where they are ``with_adc``.
    """

    genes: tuple[int, ...]
    fit_accuracy: float
    validation_accuracy: float
    model_cm2: float
    model_mw: float
    adc_cm2: float | None = None
    adc_mw: float | None = None
    with_adc: bool = False
    measured: Measured | None = None

    @property
    def ranking(self) -> float:
        """What ranks designs of one area: the accuracy over all rows, validation rows by their usual share.

        The most accurate design on a few dozen validation rows is mostly a lucky one; the fitting rows, where
        neighbours labelled by a teacher join them, say more.
        """
        return VALIDATION * self.validation_accuracy + (1 - VALIDATION) * self.fit_accuracy

    @property
    def converters(self) -> tuple[float | None, float | None]:
        """Area and power of the input converters: of those that the netlist reads, else of all that the net has."""
        if self.measured is not None and self.measured.adc_cm2 is not None:
            return self.measured.adc_cm2, self.measured.adc_mw
        return self.adc_cm2, self.adc_mw

    @property
    def area_cm2(self) -> float:
        """Area: measured where it has been, else the model's; with the converters' where they count."""
        area = self.model_cm2 if self.measured is None else self.measured.area_cm2
        return area + (self.converters[0] or 0.0) * self.with_adc

    @property
    def power_mw(self) -> float:
        """Power: measured where it has been, else the model's; with the converters' where they count."""
        power = self.model_mw if self.measured is None else self.measured.power_mw
        return power + (self.converters[1] or 0.0) * self.with_adc


@dataclass(frozen=True, slots=True, eq=False)
class Front:
    """The designs that no other one beats on the fitting rows, cheapest first.

    ``start`` and ``passes`` span the space that the genes live in.  ``reference`` is the accuracy on validation
    rows that losses count from: the given model's.  ``stopped`` says why the search ended.
    """

    start: Net
    passes: tuple[ApproximatePass, ...]
    designs: tuple[Candidate, ...]
    reference: float
    seed: int
    generations: int
    tried: int
    elapsed_s: float
    stopped: str

    def space(self) -> Space:
        """The search space, made again."""
        return Space.of(self.start, self.passes)

    def net(self, candidate: Candidate) -> Net:
        """The integer net of a design, made again from its genes; levels of its converters that nothing reads go."""
        return without_unread_levels(self.space().decode(np.array(candidate.genes, np.int64)))

    def smallest(
        self, *, max_loss: float = 0.01, max_area: float | None = None, max_power: float | None = None
    ) -> Candidate:
        """The smallest design whose validation accuracy is within ``max_loss`` of the reference."""
        return smallest(self.designs, self.reference, max_loss, max_area, max_power)

    def most_accurate(self, *, max_area: float | None = None, max_power: float | None = None) -> Candidate:
        """The design that ranks highest; of equals the smallest."""
        return most_accurate(self.designs, max_area, max_power)

    def measure(self, synthesise: Callable[[Net], Measured]) -> Front:
        """The front with every design's real area and power; equal nets are synthesised once."""
        known, designs = dict[Net, Measured](), []
        for candidate in self.designs:
            net = self.net(candidate)
            if net not in known:
                known[net] = synthesise(net)
            designs.append(replace(candidate, measured=known[net]))
        return replace(self, designs=tuple(designs))

    def rows(self) -> list[dict[str, Any]]:
        """The designs as plain values: accuracies, areas, powers."""
        return [
            {
                "design": k,
                "fit_accuracy": c.fit_accuracy,
                "validation_accuracy": c.validation_accuracy,
                "model_cm2": c.model_cm2,
                "model_mw": c.model_mw,
                "area_cm2": None if c.measured is None else c.measured.area_cm2,
                "power_mw": None if c.measured is None else c.measured.power_mw,
                "adc_cm2": c.converters[0],
                "adc_mw": c.converters[1],
            }
            for k, c in enumerate(self.designs)
        ]

    def to_csv(self) -> str:
        """The designs, a line each."""
        return csv_text(self.rows())

    def to_json(self) -> str:
        """Everything, lossless."""
        facts = {
            "format": FORMAT,
            "start": to_text(self.start),
            "passes": [{"name": p.name, "options": asdict(p)} for p in self.passes],
            "reference": self.reference,
            "seed": self.seed,
            "generations": self.generations,
            "tried": self.tried,
            "elapsed_s": self.elapsed_s,
            "stopped": self.stopped,
            "with_adc": any(c.with_adc for c in self.designs),
            "designs": [row | {"genes": c.genes} for row, c in zip(self.rows(), self.designs, strict=True)],
        }
        return json.dumps(facts, indent=1, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Front:
        """Read what :meth:`to_json` wrote; raises where it is something else."""
        try:
            facts = json.loads(text)
            if facts["format"] != FORMAT:
                raise MlpressError(f"the front has format {facts['format']!r}; this version reads {FORMAT!r}")
            start = from_text(facts["start"])
            passes = tuple(make_pass(entry["name"], entry["options"]) for entry in facts["passes"])
            designs = tuple(_candidate(entry, facts["with_adc"] is True) for entry in facts["designs"])
            numbers = {
                name: facts[name] for name in ("reference", "seed", "generations", "tried", "elapsed_s", "stopped")
            }
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise MlpressError(f"this is no front of a search ({error}); run the search again") from error
        if not isinstance(start, Net):
            raise MlpressError("the front does not start from an integer net; run the search again")
        return cls(start, passes, designs, **numbers)


def _candidate(entry: dict[str, Any], with_adc: bool) -> Candidate:
    area, power = entry["area_cm2"], entry["power_mw"]
    adc_area, adc_power = entry["adc_cm2"], entry["adc_mw"]
    return Candidate(
        genes=tuple(int(gene) for gene in entry["genes"]),
        fit_accuracy=float(entry["fit_accuracy"]),
        validation_accuracy=float(entry["validation_accuracy"]),
        model_cm2=float(entry["model_cm2"]),
        model_mw=float(entry["model_mw"]),
        adc_cm2=None if adc_area is None else float(adc_area),
        adc_mw=None if adc_power is None else float(adc_power),
        with_adc=with_adc,
        measured=None if area is None else Measured(float(area), float(power)),
    )
