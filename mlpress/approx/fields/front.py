"""What a search over fields found, from cheap to exact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from mlpress.approx.common.front import VALIDATION, Figures, Front, cost_row, read_cost, read_facts
from mlpress.errors import MlpressError
from mlpress.metrics import Metric

FORMAT = "mlpress field front 1"


@dataclass(frozen=True, slots=True)
class FieldDesign:
    """A field of a front; ``genes`` make it again.

    Accuracies are PSNR in dB on fitting and on validation rows.  ``model`` is the cost while searching, ``measured``
    that of the kernel as it is built.  ``tables`` and ``layers`` say in words what the genes do.
    """

    genes: tuple[int, ...]
    fit_accuracy: float
    validation_accuracy: float
    model: Figures
    tables: str
    layers: str
    measured: Figures | None = None

    @property
    def ranking(self) -> float:
        """PSNR over all rows, validation rows by their share."""
        return VALIDATION * self.validation_accuracy + (1 - VALIDATION) * self.fit_accuracy

    @property
    def cost(self) -> Figures:
        """The cost by metric name: measured where it has been, else the model's."""
        return self.model if self.measured is None else self.measured

    def row(self, metrics: Sequence[Metric]) -> dict[str, Any]:
        """Return plain values by column."""
        return {
            "fit_psnr_db": self.fit_accuracy,
            "validation_psnr_db": self.validation_accuracy,
            **cost_row(metrics, self.model, self.measured),
            "tables": self.tables,
            "layers": self.layers,
        }


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FieldFront(Front[FieldDesign]):
    """The fields that no other one beats, cheapest first; losses count in dB from the given field's ``reference``."""

    seed: int
    generations: int
    tried: int
    elapsed_s: float
    stopped: str

    quality: ClassVar[str] = "PSNR in dB"

    def to_json(self) -> str:
        """Return everything; genes are those of :class:`~mlpress.approx.fields.FieldSpace` of the given field."""
        rows = [row | {"genes": one.genes} for row, one in zip(self.rows(), self.designs, strict=True)]
        numbers = {name: getattr(self, name) for name in _NUMBERS}
        return self.json_text(FORMAT, **numbers, designs=rows)


def read_field_front(text: str) -> FieldFront:
    """Read what :meth:`FieldFront.to_json` wrote; raise :class:`MlpressError` where it is something else."""
    try:
        facts, metrics = read_facts(text, FORMAT)
        designs = []
        for entry in facts["designs"]:
            model, measured = read_cost(entry, metrics)
            designs.append(
                FieldDesign(
                    tuple(int(gene) for gene in entry["genes"]),
                    float(entry["fit_psnr_db"]),
                    float(entry["validation_psnr_db"]),
                    model,
                    str(entry["tables"]),
                    str(entry["layers"]),
                    measured,
                )
            )
        numbers = {name: facts[name] for name in _NUMBERS}
        return FieldFront(tuple(designs), float(facts["reference"]), metrics, **numbers)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise MlpressError(f"this is no front of fields ({error}); run the search again") from error


_NUMBERS = ("seed", "generations", "tried", "elapsed_s", "stopped")
