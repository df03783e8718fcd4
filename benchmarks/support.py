"""What the benchmarks share: data sets, the literature's data protocol, and how a table is shown."""

import argparse
import json
import sys
from collections.abc import Iterable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.preprocessing import MinMaxScaler

from mlpress import Dataset
from mlpress.hw import printed
from mlpress.verify import port_values

TOPOLOGIES = {
    "breast_cancer": (10, 3, 2),
    "cardio": (21, 3, 3),
    "pendigits": (16, 5, 10),
    "whitewine": (11, 4, 7),
    "vertebral": (6, 3, 3),
}
"""Data sets and networks of the printed-classifier literature (arXiv 2312.17612, 2402.02930)."""

OWN = {"balance": (4, 3, 3), "wine": (13, 3, 3), "digits": (64, 10, 10)}
"""Sets that need no file, and networks for them: arithmetic by nature, few rows, many features."""

ROOT = Path(__file__).resolve().parent.parent


def arguments(description: str, sets: Iterable[str] = TOPOLOGIES) -> argparse.ArgumentParser:
    """The options of every benchmark; it knows the data sets ``sets``."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="one JSON object a row, no table")
    parser.add_argument("--data", type=Path, default=ROOT / "data", help="folder with <set>.csv")
    parser.add_argument(
        "--only", "--sets", dest="only", nargs="*", default=list(sets), choices=list(sets), help="data sets"
    )
    return parser


SPLIT = 42
"""The seed of the literature's split."""

RATE_HZ = 5.0
"""Inferences a second that power is stated for."""


def balance() -> Dataset:
    """Two weights on the two arms of a scale, each 1 .. 5 and at a distance of 1 .. 5: all 625 rows.

    The class is the sign of ``weight * distance`` on the left less that on the right, which is also the rule of the set
    Balance Scale of UCI (R. S. Siegler, 1976).
    """
    rows = np.array(list(product(range(1, 6), repeat=4)))
    left, right = rows[:, 0] * rows[:, 1], rows[:, 2] * rows[:, 3]
    names = ("left_weight", "left_distance", "right_weight", "right_distance")
    tips = np.array(["right", "balanced", "left"])[1 + np.sign(left - right)]
    return Dataset.from_arrays(rows, tips, names)


def dataset(folder: Path, name: str) -> Dataset:
    """All rows of a set: of :data:`OWN`, or ``<name>.csv`` in the folder."""
    if name in OWN:
        return balance() if name == "balance" else Dataset.bundled(name)
    path = folder / f"{name}.csv"
    if not path.is_file():
        print(f"no {path}; give the folder of the UCI sets (one CSV each, label last) with --data", file=sys.stderr)
        raise SystemExit(2)
    return Dataset.from_csv(path)


def protocol(folder: Path, name: str, split: int = SPLIT) -> tuple[Dataset, Dataset, MinMaxScaler]:
    """Training and test rows as the literature splits them, and the scaler of the inputs.

    Rows in file order, ``train_test_split(test_size=0.3, random_state=split)``, ``MinMaxScaler((0, 0.9))`` fitted on
    the training rows; a 4-bit input is ``floor(16 * x)`` clipped to 0 .. 15.
    """
    train, test = dataset(folder, name).split(test_size=0.3, seed=split)
    return train, test, MinMaxScaler((0, 0.9)).fit(train.features)


def coded(folder: Path, name: str, split: int = SPLIT) -> tuple[Dataset, Dataset]:
    """Training and test rows of the protocol as 4-bit input codes."""
    train, test, scaler = protocol(folder, name, split)
    return tuple(
        Dataset(np.clip(np.floor(16 * scaler.transform(part.features)), 0, 15), part.labels, part.names, part.classes)
        for part in (train, test)
    )


def port_rows(netlist: printed.Netlist, technology: printed.Technology, rows: Dataset) -> dict[str, Any]:
    """What stands at the netlist's inputs for the rows of :func:`coded`."""
    ports = [port.name for port in printed.PackedNetlist(netlist, technology).inputs]
    return port_values(rows.features.astype(np.int64), ports)


def cost(netlist: printed.Netlist, technology: printed.Technology, rows: Dataset) -> printed.Estimate:
    """Area and power where such rows come in, :data:`RATE_HZ` of them a second."""
    return printed.estimate(netlist, technology, port_rows(netlist, technology, rows), RATE_HZ)


def accuracy(netlist: printed.Netlist, technology: printed.Technology, rows: Dataset) -> float:
    """Share of the rows that the mapped netlist decides rightly."""
    decided = printed.PackedNetlist(netlist, technology).run(port_rows(netlist, technology, rows))["y"]
    return float(np.mean(decided == rows.labels))


def show(title: str, rows: list[dict[str, Any]], as_json: bool) -> None:
    """The rows as a table, or as one JSON object each."""
    if as_json:
        for row in rows:
            sys.stdout.write(json.dumps(row) + "\n")
        return
    if not rows:
        print(f"{title}: no rows")
        return
    table = Table(title=title)
    for key in rows[0]:
        table.add_column(key.replace("_", " "), justify="left" if isinstance(rows[0][key], str) else "right")
    for row in rows:
        values = ("-" if value is None else value for value in row.values())
        table.add_row(*(f"{value:.3f}" if isinstance(value, float) else str(value) for value in values))
    Console(width=160).print(table)
