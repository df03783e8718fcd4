"""What searches need of the printed target."""

from typing import Any

from mlpress.approx import CostModel, Layout
from mlpress.targets import Printed

TARGET = Printed()
METRICS = TARGET.metrics
price = TARGET.cost_model


def cost_model(layout: Layout, *, with_adc: bool = False) -> CostModel:
    return Printed(with_adc=with_adc).cost_model(layout)


def gate_costs() -> Any:
    return TARGET.gate_costs("area")
