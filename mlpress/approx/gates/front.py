"""What an evolution found: circuits from small to accurate."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mlpress.approx.common.choice import Measured, csv_text, most_accurate, smallest, unbeaten
from mlpress.errors import MlpressError
from mlpress.ir import Circuit, from_text, to_text

FORMAT = "mlpress circuits 3"


@dataclass(frozen=True, slots=True)
class CircuitDesign:
    """One design of a front.

    ``start`` is what it came from, ``lesson`` what it learned from (:mod:`mlpress.approx.common.teacher`).  Accuracies
    are shares: ``fit_accuracy`` of all rows, which it has seen; ``validation_accuracy`` is that of its likes on rows
    held out of theirs: on ``validation_rows`` of them, where these are not all (``fit_accuracy`` is of the others).
    ``netlist`` is Verilog that makes each gate of its own cells, which ``model_cm2`` counts; ``measured`` is what
    synthesis found.  ``optimism`` is what the validation accuracy has too much of where it starts from a model that may
    have seen the rows.
    """

    circuit: Circuit
    netlist: str
    start: str
    lesson: str
    fit_accuracy: float
    validation_accuracy: float
    model_cm2: float
    measured: Measured | None = None
    validation_rows: int | None = None
    optimism: float = 0.0

    @property
    def ranking(self) -> float:
        """What ranks designs of one area: the validation accuracy, which every row had its part in, less optimism."""
        return self.validation_accuracy - self.optimism

    @property
    def area_cm2(self) -> float:
        """Area: measured where it has been, else the model's."""
        return self.model_cm2 if self.measured is None else self.measured.area_cm2

    @property
    def power_mw(self) -> float:
        """Power; 0 before it has been measured."""
        return 0.0 if self.measured is None else self.measured.power_mw


@dataclass(frozen=True, slots=True, eq=False)
class CircuitFront:
    """The circuits that no other one beats on held-out rows, smallest first.

    Losses count from the accuracy ``reference``; ``rounds`` were run and ``moves`` judged; ``stopped`` says why the
    evolution ended.
    """

    designs: tuple[CircuitDesign, ...]
    reference: float
    seed: int
    rounds: int
    moves: int
    elapsed_s: float
    stopped: str

    def smallest(
        self, *, max_loss: float = 0.01, max_area: float | None = None, max_power: float | None = None
    ) -> CircuitDesign:
        """The smallest design whose validation accuracy is within ``max_loss`` of the reference."""
        return smallest(self.designs, self.reference, max_loss, max_area, max_power)

    def most_accurate(self, *, max_area: float | None = None, max_power: float | None = None) -> CircuitDesign:
        """The design that ranks highest; of equals the smallest."""
        return most_accurate(self.designs, max_area, max_power)

    def joined(self, more: Sequence[CircuitDesign]) -> CircuitFront:
        """The front with those of ``more`` that belong there, and without what they beat; small first."""
        return replace(self, designs=tuple(unbeaten((*self.designs, *more)))) if more else self

    def measure(self, synthesise: Callable[[Circuit, str], Measured]) -> CircuitFront:
        """The front with every design's real area and power, from its circuit and its own netlist."""
        return replace(self, designs=tuple(replace(d, measured=synthesise(d.circuit, d.netlist)) for d in self.designs))

    def rows(self) -> list[dict[str, Any]]:
        """The designs as plain values: start, accuracies, areas, power."""
        return [
            {
                "design": k,
                "start": d.start,
                "lesson": d.lesson,
                "fit_accuracy": d.fit_accuracy,
                "validation_accuracy": d.validation_accuracy,
                "validation_rows": d.validation_rows,
                "optimism": d.optimism,
                "model_cm2": d.model_cm2,
                "area_cm2": None if d.measured is None else d.measured.area_cm2,
                "power_mw": None if d.measured is None else d.measured.power_mw,
            }
            for k, d in enumerate(self.designs)
        ]

    def to_csv(self) -> str:
        """The designs, a line each."""
        return csv_text(self.rows())

    def to_json(self) -> str:
        """Everything, lossless: the circuits in their text form."""
        facts = {
            "format": FORMAT,
            "reference": self.reference,
            "seed": self.seed,
            "rounds": self.rounds,
            "moves": self.moves,
            "elapsed_s": self.elapsed_s,
            "stopped": self.stopped,
            "designs": [
                row | {"circuit": to_text(d.circuit), "netlist": d.netlist}
                for row, d in zip(self.rows(), self.designs, strict=True)
            ],
        }
        return json.dumps(facts, indent=1, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> CircuitFront:
        """Read what :meth:`to_json` wrote; raises where it is something else."""
        try:
            facts = json.loads(text)
            if facts["format"] != FORMAT:
                raise MlpressError(f"the front has format {facts['format']!r}; this version reads {FORMAT!r}")
            designs = tuple(_design(entry) for entry in facts["designs"])
            names = ("reference", "seed", "rounds", "moves", "elapsed_s", "stopped")
            return cls(designs, **{name: facts[name] for name in names})
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise MlpressError(f"this is no front of an evolution ({error}); run it again") from error


def _design(entry: dict[str, Any]) -> CircuitDesign:
    circuit, area = from_text(entry["circuit"]), entry["area_cm2"]
    if not isinstance(circuit, Circuit):
        raise ValueError("a design is no circuit")
    return CircuitDesign(
        circuit,
        str(entry["netlist"]),
        str(entry["start"]),
        str(entry["lesson"]),
        float(entry["fit_accuracy"]),
        float(entry["validation_accuracy"]),
        float(entry["model_cm2"]),
        None if area is None else Measured(float(area), float(entry["power_mw"])),
        None if entry["validation_rows"] is None else int(entry["validation_rows"]),
        float(entry.get("optimism", 0.0)),
    )
