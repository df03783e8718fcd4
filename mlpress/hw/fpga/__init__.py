"""FPGAs: devices as data, synthesis to look-up tables, mapped netlists, placing and routing."""

from typing import TYPE_CHECKING

from mlpress._lazy import lazy_door

if TYPE_CHECKING:
    from mlpress.hw.fpga.devices import DEVICES, Device, Family, read_device
    from mlpress.hw.fpga.netlist import Resources, read_netlist, resources
    from mlpress.hw.fpga.routing import Routed, route, router_lacks
    from mlpress.hw.fpga.synthesis import synthesise

_MODULES = {
    "devices": ("DEVICES", "Device", "Family", "read_device"),
    "netlist": ("Resources", "read_netlist", "resources"),
    "routing": ("Routed", "route", "router_lacks"),
    "synthesis": ("synthesise",),
}

__all__ = [
    "DEVICES",
    "Device",
    "Family",
    "Resources",
    "Routed",
    "read_device",
    "read_netlist",
    "resources",
    "route",
    "router_lacks",
    "synthesise",
]

__getattr__ = lazy_door(__name__, {name: module for module, names in _MODULES.items() for name in names})
