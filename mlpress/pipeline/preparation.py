"""The first step of every pipeline: match data to the model, quantise it, and look for what is suspicious."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlpress import ir
from mlpress.pipeline import suspicions
from mlpress.pipeline.accuracy import accuracy_facts

if TYPE_CHECKING:
    from mlpress.frontend import Dataset, Quantised
    from mlpress.pipeline.compile import Quantisation
    from mlpress.progress import Progress


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A model with the rows that fit it; ``source`` are the facts of where both came from and how they match.

    ``notes`` say how they match, ``warnings`` what is suspicious about that, one line each.
    """

    model: ir.Model
    quantised: Quantised
    rows: Dataset
    tests: Dataset | None
    source: Mapping[str, Any]
    notes: Sequence[str]
    warnings: Sequence[str]

    def say(self, progress: Progress) -> None:
        """Pass the notes and the warnings on to ``progress``."""
        for note in self.notes:
            progress.note(note)
        for warning in self.warnings:
            progress.warn(warning)

    def accuracy(self, program: ir.Program) -> dict[str, Any]:
        """Return the accuracies of ``program``: :func:`mlpress.pipeline.accuracy.accuracy_facts`."""
        return accuracy_facts(self.model, self.quantised, program, self.rows, self.tests)


def prepare(
    model: ir.Model,
    dataset: Dataset,
    quantisation: Quantisation,
    *,
    test: Dataset | None = None,
    features: Sequence[str] | None = None,
    source: Mapping[str, Any] | None = None,
) -> Prepared:
    """Match ``dataset`` and ``test`` to ``model``, quantise it, and collect notes and warnings.

    ``features`` names the model's inputs in its order, by columns of ``dataset``.  Raises :class:`MlpressError` where
    the data do not fit.
    """
    from mlpress.frontend import with_features

    warnings = list(dataset.remarks) + ([] if test is None else list(test.remarks))
    if features is not None:
        model, more = with_features(model, features, dataset.names)
        warnings += more
    match = dataset.match(model)
    quantised = quantised_model(model, dataset, quantisation)
    net = quantised.net
    rows = dataset.for_model(net)
    tests = None if test is None else test.for_model(net)
    warnings += match.warnings() + suspicions.of_rows(rows, "training")
    warnings += [] if tests is None else suspicions.of_rows(tests, "test")
    warnings += suspicions.of_scaling(model, rows, match)
    likely = dataset.likely_label(len(net.classes))
    warnings += suspicions.of_fit(model, rows, match, accuracy_facts(model, quantised, net, rows), likely)
    facts = {**(source or {}), "rows": len(rows), **match.to_json()}
    return Prepared(model, quantised, rows, tests, facts, match.notes(), warnings)


def quantised_model(model: ir.Model, dataset: Dataset, quantisation: Quantisation) -> Quantised:
    """Quantise ``model`` with the widths of ``quantisation``, calibrated on ``dataset``."""
    from mlpress.frontend import quantise

    return quantise(
        model,
        dataset,
        input_bits=quantisation.input_bits,
        weight_bits=quantisation.weight_bits,
        activation_bits=quantisation.activation_bits,
    )
