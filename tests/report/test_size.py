"""The report of a design larger than any benchmark's is one file of a few megabytes: everything in it has an end."""

from __future__ import annotations

from typing import Any

import numpy as np
from support import shown
from support.design_facts import design_facts
from support.netlists import random_netlist

from mlpress import ir, report

MOST_BYTES = 5_000_000


def wide_net(inputs: int = 784, hidden: int = 32, classes: int = 10) -> ir.Net:
    """A dense network with one power of two per weight."""
    rng = np.random.default_rng(0)

    def layer(sources: int, count: int, activation: Any) -> ir.Layer:
        signs, shifts = rng.choice([-1, 1], (count, sources)), rng.integers(0, 7, (count, sources))
        rows = zip(signs.tolist(), shifts.tolist(), strict=True)
        return ir.Layer(
            tuple(
                ir.Neuron(0, tuple(ir.Term(i, s, k, 15) for i, (s, k) in enumerate(zip(*row, strict=True))), activation)
                for row in rows
            )
        )

    columns = tuple(ir.Input(f"pixel number {k}", 4, 1.0, 0.0) for k in range(inputs))
    layers = (layer(inputs, hidden, ir.QRelu(5, 4)), layer(hidden, classes, ir.Raw()))
    return ir.Net(columns, layers, ir.Argmax(), tuple(f"class {k}" for k in range(classes)))


def test_a_large_design_has_a_report_of_few_megabytes() -> None:
    net = wide_net()
    text = random_netlist(5, inputs=64, cells=9000, outputs=8)[0]
    names = [one.name for one in net.inputs]
    facts = design_facts() | {"landmarks": shown.landmarks() * 40, "proofs": shown.proofs()}
    facts["net"] |= {"topology": "784-32-10", "classes": list(net.classes)}
    facts["source"]["columns"] = {"by": "name", "data": names, "model": names}
    facts["front"] = [
        {"design": k, "accuracy": 0.5 + k / 1000, "fit": 0.9, "test": 0.8, "area_cm2": 1.0 + k, "power_mw": 2.0 + k}
        for k in range(300)
    ]
    parts = [{"of": ["layer 0", f"neuron {k}"], "area_cm2": 1 + k, "power_mw": 1 + k} for k in range(4000)]
    facts["spent"] = {"how": "cell by cell", "parts": parts}
    rows = [{"row": k, "label": 0, "decided": 1, "values": [0.123456] * 32} for k in range(20)]
    facts["accuracy"] |= {"confusion": np.full((10, 10), 7).tolist(), "missed": {"count": 999, "rows": rows}}
    sums = {f"h{k}": {"full_adders": k, "half_adders": k, "muxes": 0} for k in range(42)}
    facts["audit"]["adders"] = sums
    files: dict[str, str | bytes] = {f"more{k}.v": text * 8 for k in range(5)}
    files |= {"netlist.v": text, "converters.csv": "port,level\n" * 100_000}
    read = report.read_design(facts)
    page = report.render([report.Shown(read, net, files, "large")])
    assert len(page.encode()) < MOST_BYTES
    assert "further lines in more0.v" in page
    drawn = 128 * 32 + 32 * 10  # of the first 128 inputs
    left_out = f"Not drawn: the {drawn - 2000:,} connections of the smallest weights and 656 neurons."
    assert left_out in page.replace("\N{NO-BREAK SPACE}", " ")
    assert page.count('"tip":"NAND2X1') <= 8 * 320
