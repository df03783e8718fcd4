"""Reports of facts as JSON has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlpress import report
from mlpress.report.headline import Tile


def render(facts: Mapping[str, Any]) -> str:
    return report.render([report.Shown(report.read_design(facts))])


def summary_table(facts: Mapping[str, Any]) -> Any:
    return report.summary_table(report.read_design(facts))


def estimate_table(facts: Mapping[str, Any]) -> Any:
    return report.estimate_table(report.read_estimate(facts))


def verification_table(facts: Any) -> Any:
    return report.verification_table(report.read_checks(facts))


def targets_table(facts: Any) -> Any:
    return report.targets_table(report.read_targets(facts))


def run_table(facts: Mapping[str, Any]) -> Any:
    return report.run_table(report.read_run(facts))


def tiles(facts: Mapping[str, Any]) -> list[Tile]:
    from mlpress.report.headline import tiles as found

    return found(report.read_design(facts))


def estimate_tiles(facts: Mapping[str, Any]) -> list[Tile]:
    from mlpress.report.printed import estimate_tiles as found

    return found(report.read_estimate(facts))
