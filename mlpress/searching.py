"""From a model to a front of smaller designs: the search, the real cost of its front, and the design that is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpress import ir
from mlpress.compiler import Options, accuracy_facts, press
from mlpress.design import Design, cells_of
from mlpress.errors import MlpressError
from mlpress.verification import port_values

if TYPE_CHECKING:
    from mlpress.approx import Budget, Candidate, Front, Limits, Measured, SearchProgress
    from mlpress.frontend import Dataset
    from mlpress.hw import Technology


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A searched front over a model's rows; every member becomes a verified :class:`Design` when it is asked for."""

    front: Front
    dataset: Dataset
    options: Options
    facts: Mapping[str, Any]

    def smallest(
        self, *, max_loss: float = 0.01, max_area: float | None = None, max_power: float | None = None
    ) -> Design:
        """The smallest design within ``max_loss`` of the quantised model's validation accuracy.

        Where the search found none, that is the exact circuit itself, as long as no limit forbids it.
        """
        try:
            chosen = self.front.smallest(max_loss=max_loss, max_area=max_area, max_power=max_power)
        except MlpressError:
            if max_area is not None or max_power is not None:
                raise
            return self._pressed(self.front.start, {"validation": self.front.reference}, None)
        return self.design(chosen)

    def design(self, candidate: Candidate) -> Design:
        """The pressed and verified circuit of one member of the front."""
        genes = {"genes": list(candidate.genes)}
        return self._pressed(
            self.front.net(candidate), {"validation": candidate.validation_accuracy}, candidate, **genes
        )

    def _pressed(self, net: ir.Net, accuracy: dict[str, Any], chosen: Candidate | None, **searched: Any) -> Design:
        design = press(net, self.dataset.features, self.dataset.labels, self.options)
        decided = ir.interpret(net, ir.encode(net, self.dataset.features)).decision
        facts = {
            "accuracy": dict(self.facts["accuracy"])
            | accuracy
            | {
                "quantised": float(np.mean(decided == self.dataset.labels)),
                "reference": self.front.reference,
            },
            "front": [
                {"area_cm2": c.area_cm2, "accuracy": c.validation_accuracy, "chosen": c is chosen}
                for c in self.front.designs
            ],
            "search": {
                "seed": self.front.seed,
                "generations": self.front.generations,
                "tried": self.front.tried,
                "stopped": self.front.stopped,
                **searched,
            },
        }
        return design.with_facts(design.facts | dict(self.facts) | facts)


def search(
    model: ir.Model,
    dataset: Dataset,
    budget: Budget,
    options: Options = Options(),  # noqa: B008 - immutable
    *,
    limits: Limits | None = None,
    with_adc: bool = False,
    seed: int = 0,
    workers: int | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
    cluster: str | None = None,
    source: Mapping[str, Any] | None = None,
    progress: SearchProgress | None = None,
) -> Found:
    """Search the integer level from ``model`` on the rows of ``dataset``; the front's members are synthesised."""
    from mlpress import approx
    from mlpress.frontend import quantise

    quantised = quantise(
        model,
        dataset,
        input_bits=options.input_bits,
        weight_bits=options.weight_bits,
        activation_bits=options.activation_bits,
    )
    if isinstance(quantised.net.head, ir.Scores):
        raise MlpressError("the search needs a classifier; compile a regression as it is")
    rows = dataset.for_model(quantised.net)
    technology = cells_of(options.target, options.liberty)
    front = approx.search(
        quantised.net,
        rows.features,
        rows.labels.astype(np.int64),
        technology,
        budget,
        limits=limits or approx.Limits(),
        with_adc=with_adc,
        seed=seed,
        workers=workers,
        checkpoint=checkpoint,
        resume=resume,
        cluster=cluster,
        progress=progress,
    )
    if progress is not None:
        progress.step(f"synthesise the front ({len(front.designs)} designs)")
    front = front.measure(lambda net: measured(net, rows, technology, options))
    facts = {"source": dict(source or {}) | {"rows": len(rows)}, "accuracy": accuracy_facts(quantised, None, model)}
    return Found(front, rows, options, facts)


def measured(net: ir.Net, rows: Dataset, technology: Technology, options: Options) -> Measured:
    """Real area (cm2) and power (mW at the nominal voltage) of a net on its rows."""
    from mlpress import codegen, hw
    from mlpress.approx import Measured

    found = hw.synthesise(codegen.verilog(ir.lower_net(net)), "top", technology, effort=options.effort).netlist
    ports = [port.name for port in hw.PackedNetlist(found, technology).inputs]
    cost = hw.estimate(found, technology, port_values(ir.encode(net, rows.features), ports), options.rate_hz)
    return Measured(cost.area_cm2, cost.nominal.total_mw)


def power_limit(sources: Sequence[str], max_power: float | None) -> float | None:
    """The tightest of ``max_power`` (mW) and what the named printed power sources give."""
    from mlpress.hw import POWER_SOURCES

    known = {source.name: source.limit_mw for source in POWER_SOURCES}
    for name in sources:
        if name not in known:
            raise MlpressError(f"no power source {name!r}; there are {', '.join(known)}")
    limits = [known[name] for name in sources] + ([] if max_power is None else [max_power])
    return min(limits, default=None)


def front_files(front: Front) -> dict[str, str | bytes]:
    """The files of a front beside its chosen design."""
    from mlpress.approx import draw

    return {
        "front.json": front.to_json(),
        "front.csv": front.to_csv(),
        "front.png": draw(front, "png"),
        "front.svg": draw(front, "svg"),
    }


def with_front(design: Design, front: Front) -> Design:
    """The design with the front's files in its folder."""
    return replace(design, extra=front_files(front))
