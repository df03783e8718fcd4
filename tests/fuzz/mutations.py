"""Functional mutations of netlist, Verilog and program, and how many of them ``verify`` and ``--formal`` find."""

import argparse
import json
import os
import sys
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.mutations import KINDS, designs, found_by, mutations


def _show(row: dict[str, Any], as_json: bool) -> None:
    print(json.dumps(row) if as_json else "  ".join(f"{key} {value}" for key, value in row.items()), flush=True)


def main() -> int:
    """Print a row per design and kind; exit code 1 where ``--formal`` missed one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutations", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    places = [(name, design, kind) for name, design in designs().items() for kind in KINDS]
    rows: list[dict[str, Any]] = []
    for k, (name, design, kind) in enumerate(places):
        count = options.mutations // len(places) + (k < options.mutations % len(places))
        drawn = mutations(design, kind, Random(f"{name} {kind}"))
        found = []
        for mutation in (next(drawn) for _ in range(count)):
            found.append(found_by(mutation))
            if not all(found[-1]):
                print(
                    f"{name}, {kind}: {mutation.how}: verify {found[-1][0]}, --formal {found[-1][1]}", file=sys.stderr
                )
        plain, formal = (sum(column) for column in zip(*found, strict=True))
        rows.append({"design": name, "changed": kind, "mutations": count, "verify": plain, "formal": formal})
        _show(rows[-1], options.json)
    total = {key: sum(row[key] for row in rows) for key in ("mutations", "verify", "formal")}
    _show({"design": "all", "changed": "all", **total}, options.json)
    return int(total["formal"] < total["mutations"])


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(main())
