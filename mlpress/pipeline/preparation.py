"""The first step of every pipeline: match data to the model, quantise it, and look for what is suspicious."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpress import ir
from mlpress.errors import MlpressError
from mlpress.pipeline import suspicions
from mlpress.pipeline.accuracy import accuracy_facts, fit_facts

if TYPE_CHECKING:
    from mlpress.design import Kept
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

    def kept(self) -> Kept | None:
        """Return the decisions of the model, row by row, and the test rows; None of a regression."""
        from mlpress.design import Kept

        given = ir.interpret_model(self.model, self.rows.features)[1]
        if given is None:
            return None
        kept = Kept(given.astype(np.int64))
        if self.tests is None:
            return kept
        tests = self.tests.features.astype(np.float64)
        decided = ir.interpret_model(self.model, tests)[1]
        assert decided is not None  # the model is a classifier
        return Kept(kept.given, tests, self.tests.labels, decided.astype(np.int64))

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
    from mlpress.frontend import Dataset, with_features

    if not isinstance(model, ir.Model):
        raise MlpressError(f"the model is a {type(model).__name__}; give what mlpress.load or from_sklearn returns")
    for rows in (dataset, test):
        if rows is not None and not isinstance(rows, Dataset):
            raise MlpressError(
                f"the data are a {type(rows).__name__}; give a Dataset: Dataset.from_csv(path), or others"
            )
    warnings = list(dataset.remarks) + ([] if test is None else list(test.remarks))
    if features is not None:
        model, more = with_features(model, features, dataset.names)
        warnings += more
    match = dataset.match(model)
    quantised = quantised_model(model, dataset, quantisation)
    rows = dataset.for_model(quantised.net)
    if quantisation.levels:
        quantised = behind_cuts(quantised, model, rows, quantisation)
    net = quantised.net
    warnings += [quantised.report.remark] if quantised.report.remark else []
    tests = None if test is None else test.for_model(net)
    warnings += match.warnings() + suspicions.of_rows(rows, "training")
    warnings += [] if tests is None else suspicions.of_rows(tests, "test")
    warnings += suspicions.of_scaling(model, rows, match)
    likely = dataset.likely_label(len(net.classes))
    warnings += suspicions.of_fit(model, rows, match, fit_facts(quantised, rows), likely)
    facts = {**(source or {}), "rows": len(rows), **match.to_json()}
    return Prepared(model, quantised, rows, tests, facts, match.notes(), warnings)


def behind_cuts(quantised: Quantised, model: ir.Model, rows: Dataset, quantisation: Quantisation) -> Quantised:
    """Return the network behind the levels that ``quantisation`` chooses on ``rows``, with its score there."""
    from mlpress.frontend import with_cuts

    net = quantised.net
    if net.scores is not None:
        raise MlpressError("levels are chosen for classes; leave levels out for a regression")
    net = with_cuts(net, ir.encode(net, rows.features), rows.labels.astype(int), quantisation.levels, quantisation.cuts)
    decided = ir.interpret(net, ir.encode(net, rows.features)).decision
    right = float(np.mean(decided == rows.labels))
    agreement = float(np.mean(decided == ir.interpret_model(model, rows.features)[1]))
    return replace(quantised, net=net, report=replace(quantised.report, net_score=right, agreement=agreement))


def quantised_model(model: ir.Model, dataset: Dataset, quantisation: Quantisation) -> Quantised:
    """Quantise ``model`` with the widths of ``quantisation``, calibrated on ``dataset``."""
    from mlpress.frontend import quantise

    return quantise(
        model,
        dataset,
        input_bits=quantisation.code_bits,
        weight_bits=quantisation.weight_bits,
        activation_bits=quantisation.activation_bits,
    )
