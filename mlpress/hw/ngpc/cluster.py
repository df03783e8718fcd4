"""What a kernel must know of a cluster, from "Hardware Acceleration of Neural Graphics" (ISCA'23)."""

from __future__ import annotations

from dataclasses import dataclass

from mlpress.errors import MlpressError

MOST_PROCESSORS = 256


@dataclass(frozen=True, slots=True)
class Cluster:
    """``processors`` neural fields processors, each of ``engines`` encoding engines fused with one MLP engine.

    An encoding engine has ``sram_bytes`` of grid SRAM; the MLP engine multiplies a tile of ``mac_inputs`` by
    ``mac_outputs`` weights.  The defaults are those of the paper (arXiv 2303.05735): 16 engines of 1 MB, 64x64.
    """

    name: str
    processors: int
    engines: int = 16
    sram_bytes: int = 1 << 20
    mac_inputs: int = 64
    mac_outputs: int = 64

    def check(self) -> None:
        """Raise :class:`MlpressError` where a number is out of its bounds."""
        for what, value, most in (
            ("processors", self.processors, MOST_PROCESSORS),
            ("engines", self.engines, 1024),
            ("sram_bytes", self.sram_bytes, 1 << 30),
            ("mac_inputs", self.mac_inputs, 1024),
            ("mac_outputs", self.mac_outputs, 1024),
        ):
            if not 1 <= value <= most:
                raise MlpressError(f"cluster {self.name[:40]}: {what} is {value}; it must be within 1..{most}")


CLUSTERS = ("ngpc:8", "ngpc:16", "ngpc:32", "ngpc:64")
"""The four sizes that the paper evaluates."""


def read_cluster(name: str) -> Cluster:
    """Return the cluster called ``ngpc:N`` with the published engines; raise :class:`MlpressError` for other names."""
    family, colon, count = name.partition(":")
    if family != "ngpc" or not colon or not (count.isascii() and count.isdigit() and len(count) <= 4):
        raise MlpressError(f"no cluster {name[:40]!r}; write ngpc:N, N the number of processors")
    cluster = Cluster(name, int(count))
    cluster.check()
    return cluster
