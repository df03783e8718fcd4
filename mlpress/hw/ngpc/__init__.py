"""Neural-graphics clusters as data: machines, graphics processors, applications; each figure with its source."""

from mlpress.hw.ngpc.applications import (
    Application,
    GridShape,
    Order,
    application,
    application_figures,
    applications,
    encoding_figures,
    encodings,
    fused,
)
from mlpress.hw.ngpc.figures import Figure
from mlpress.hw.ngpc.machine import MODES, Gpu, Machine, Mode, gpu, machine, machine_figures, machine_names

__all__ = [
    "MODES",
    "Application",
    "Figure",
    "Gpu",
    "GridShape",
    "Machine",
    "Mode",
    "Order",
    "application",
    "application_figures",
    "applications",
    "encoding_figures",
    "encodings",
    "fused",
    "gpu",
    "machine",
    "machine_figures",
    "machine_names",
]
