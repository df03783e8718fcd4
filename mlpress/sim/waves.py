"""Waveforms as a value change dump (IEEE 1364), which GTKWave and Surfer open."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Wave:
    """One signal: its ``scope`` and ``name``, its ``width`` in bits, and its ``values``, int64 (rows,), one per row.

    Signed values are in two's complement.
    """

    scope: str
    name: str
    width: int
    values: NDArray[np.int64]


def vcd_text(waves: Sequence[Wave], period_us: int, comment: str = "") -> str:
    """Return the dump of ``waves``; row ``k`` begins at ``k * period_us`` microseconds."""
    from vcd import VCDWriter

    text = StringIO()
    with VCDWriter(text, timescale="1 us", date="", comment=_plain(comment)) as writer:
        signals = []
        for wave in waves:
            kept = wave.values & ((1 << wave.width) - 1) if wave.width < 63 else wave.values
            variable = writer.register_var(_plain(wave.scope), _plain(wave.name), "wire", size=wave.width, init=0)
            signals.append((variable, kept.tolist()))
        rows = max((len(values) for _, values in signals), default=0)
        for row in range(rows):
            for variable, values in signals:
                writer.change(variable, row * period_us, values[row])
        writer.close(rows * period_us)
    return text.getvalue()


def _plain(name: str) -> str:
    """Return a name without what would end it, or the declaration around it."""
    return re.sub(r"[^\w\[\].,:()=-]", "_", name)[:200] or "_"
