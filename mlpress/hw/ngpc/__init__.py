"""Neural-graphics clusters as data: machines, graphics processors, applications; each figure with its source."""

from mlpress.hw.ngpc.applications import (
    Application,
    Order,
    application,
    application_figures,
    applications,
    encoding_figures,
    encodings,
    fused,
)
from mlpress.hw.ngpc.figures import Figure
from mlpress.hw.ngpc.machine import (
    MODES,
    Cluster,
    Gpu,
    Machine,
    Mode,
    gpu,
    machine,
    machine_figures,
    machine_names,
    read_cluster,
)

__all__ = [
    "MODES",
    "Application",
    "Cluster",
    "Figure",
    "Gpu",
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
    "read_cluster",
]
