"""What others reach on the printed benchmark: constants of a stated flow and date, or their designs measured now.

A folder of designs holds ``<rival>/<set>/`` for each: ``iccad23/cardio/``, ``date24/whitewine/``.  In it are

- the Verilog, ``*.v``: RTL that is synthesised with the benchmark's effort; or, as ``netlist.v`` alone, a netlist of
  the technology's own cells, which is taken as it is;
- ``vectors.csv``, where there is one: rows for the inputs, as ``mlpress estimate --vectors`` reads them, for power;
- ``labels.csv``, where there is one: the right class number of each of these rows, one per line, for accuracy; the
  design's only output is the class.

A rival that is none of :data:`RIVALS` has a column of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mlpress import MlpressError
from mlpress.hw import printed
from mlpress.yosys import read_sources

NETLIST = "netlist.v"

RIVALS = {"iccad23": "ICCAD'23", "date24": "DATE'24", "hgq2": "HGQ2"}
"""Folders, and what the columns are called: the designs of arXiv 2312.17612 (ICCAD'23) and arXiv 2402.02930 (DATE'24),
and networks of HGQ2 with da4ml."""

MEASURED = "2026-11"
"""When :data:`SYNTHESISED` was measured."""

SYNTHESISED = {
    ("ICCAD'23", "breast_cancer"): (0.946, {"default": 3.185, "thorough": 3.064}),
    ("ICCAD'23", "cardio"): (0.862, {"default": 7.416, "thorough": 7.342}),
    ("ICCAD'23", "pendigits"): (0.891, {"default": 15.03, "thorough": 14.76}),
    ("ICCAD'23", "whitewine"): (0.527, {"default": 5.917, "thorough": 5.648}),
    ("DATE'24", "breast_cancer"): (0.917, {"default": 0.0325, "thorough": 0.0325}),
    ("DATE'24", "cardio"): (0.884, {"default": 1.365, "thorough": 1.287}),
    ("DATE'24", "pendigits"): (0.898, {"default": 12.51, "thorough": 12.19}),
    ("DATE'24", "whitewine"): (0.502, {"default": 0.161, "thorough": 0.147}),
}
"""Test accuracy, and cm2 by effort: published RTL that ``mlpress estimate`` synthesised, on test rows published with
the designs of ICCAD'23."""

EARLIER = {
    ("HGQ2", "breast_cancer"): ((0.927, 0.032), (0.971, 0.149)),
    ("HGQ2", "cardio"): ((0.862, 1.19), (0.890, 1.84), (0.901, 5.49)),
    ("HGQ2", "pendigits"): ((0.903, 14.8), (0.931, 25.3), (0.941, 33.5)),
    ("HGQ2", "whitewine"): ((0.526, 0.039), (0.538, 8.95)),
    ("HGQ2", "vertebral"): ((0.806, 2.98),),
}
"""Test accuracy and cm2 of networks trained by HGQ2, their RTL by da4ml, mapped by an earlier script for Yosys and ABC,
before 2026-11-21; not measured again since."""


@dataclass(frozen=True)
class Design:
    """A rival's design: test accuracy, area at 1.0 V in cm2 and power there in mW, as far as they are known; and from
    which ``flow`` the area is."""

    dataset: str
    rival: str
    accuracy: float | None
    area_cm2: float
    power_mw: float | None
    flow: str

    def __str__(self) -> str:
        accuracy = "?" if self.accuracy is None else f"{self.accuracy:.3f}"
        return f"{accuracy} @ {self.area_cm2:.4g}"


def flow_of(effort: str) -> str:
    """The benchmarks' own flow in words."""
    return f"yosys + abc, effort {effort}, egfet 1.0 V"


def published(
    names: Sequence[str], effort: str, technology: printed.Technology, rate_hz: float, folder: Path | None = None
) -> list[Design]:
    """The rivals' designs for the data sets ``names``; those of the folder take the place of the constants."""
    known = effort if effort == "thorough" else "default"
    flow = f"{flow_of(known)}, measured {MEASURED}{', before it used &deepsyn' * (known == 'thorough')}"
    earlier = "an earlier script for yosys + abc, egfet 1.0 V, before 2026-11-21"
    found = {
        (rival, name): [Design(name, rival, accuracy, areas[known], None, flow)]
        for (rival, name), (accuracy, areas) in SYNTHESISED.items()
    }
    for (rival, name), points in EARLIER.items():
        found[rival, name] = [Design(name, rival, accuracy, area, None, earlier) for accuracy, area in points]
    for path in _designs(folder):
        rival = RIVALS.get(path.parent.name, path.parent.name)
        if path.name in names:
            found[rival, path.name] = [measure(path, rival, effort, technology, rate_hz)]
    return [design for designs in found.values() for design in designs if design.dataset in names]


def nearest(designs: Sequence[Design], accuracy: float) -> Design:
    """The design whose accuracy is the nearest to ``accuracy``; of equally near ones the smallest."""
    return min(designs, key=lambda one: (1.0 if one.accuracy is None else abs(one.accuracy - accuracy), one.area_cm2))


def _designs(folder: Path | None) -> list[Path]:
    if folder is None:
        return []
    designs = sorted({path.parent for path in folder.glob("*/*/*.v")})
    if not designs:
        raise MlpressError(f"{folder} holds no design; put Verilog in {folder}/<rival>/<set>/")
    return designs


def measure(folder: Path, rival: str, effort: str, technology: printed.Technology, rate_hz: float) -> Design:
    """What the design in the folder costs and, where rows with labels are there, how many it decides rightly."""
    files = sorted(folder.glob("*.v"))
    if [file.name for file in files] == [NETLIST]:
        netlist, flow = printed.read_netlist(files[0], None), "its own netlist, egfet 1.0 V"
    else:
        netlist = printed.synthesise(read_sources(*files), None, technology, effort=effort).netlist
        flow = f"{flow_of(effort)}, now"
    vectors, labels = folder / "vectors.csv", folder / "labels.csv"
    rows = printed.read_vectors(vectors, netlist).ports if vectors.is_file() else None
    cost = printed.estimate(netlist, technology, rows, rate_hz)
    accuracy = None
    if labels.is_file():
        if rows is None:
            raise MlpressError(f"{labels} has no vectors.csv beside it; give the rows that the labels are of")
        outputs = list(printed.PackedNetlist(netlist, technology).run(rows).items())
        if len(outputs) != 1:
            raise MlpressError(f"{folder}: {len(outputs)} outputs; one that is the class is needed for its accuracy")
        accuracy = float(np.mean(outputs[0][1] == _labels(labels, cost.rows)))
    return Design(folder.name, rival, accuracy, cost.area_cm2, None if rows is None else cost.nominal.total_mw, flow)


def _labels(path: Path, rows: int) -> np.ndarray:
    try:
        labels = np.array([int(line) for line in path.read_text().split()])
    except ValueError as error:
        raise MlpressError(f"{path}: {error}; give one class number per line") from None
    if len(labels) != rows:
        raise MlpressError(f"{path} has {len(labels)} labels for {rows} rows of vectors.csv; give one per row")
    return labels
