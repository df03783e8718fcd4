"""Where area and power are: cones of outputs add up to the estimate, and hold the cells that outputs need."""

import numpy as np
import pytest
from support.netlists import random_netlist

from mlpress.hw.printed import PackedNetlist, estimate, load_technology, needs, spending


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_cones_add_up_to_the_estimate(seed: int) -> None:
    technology = load_technology("egfet")
    _, netlist = random_netlist(seed, cells=50, outputs=4)
    engine = PackedNetlist(netlist, technology)
    rows = {"x": np.random.default_rng(seed).integers(0, 64, 200)}
    found = estimate(engine, technology, rows, 5.0)
    cones = spending(engine, rows, 5.0)
    assert sum(cone.cells for cone in cones) == found.cells
    assert sum(cone.area_cm2 for cone in cones) == pytest.approx(found.area_cm2, rel=1e-12)
    assert sum(cone.power_mw for cone in cones) == pytest.approx(found.nominal.total_mw, rel=1e-9)


def test_cells_are_those_that_an_output_depends_on() -> None:
    technology = load_technology("egfet")
    _, netlist = random_netlist(9, cells=40, outputs=3)
    engine = PackedNetlist(netlist, technology)
    names, found = needs(engine.linked)
    assert names == ["y[0]", "y[1]", "y[2]"]
    driver = {}
    for member in engine.linked.members:
        for cell, inputs, outputs in zip(member.cells, member.inputs, member.outputs, strict=True):
            driver[int(outputs[0])] = int(cell), [int(net) for net in inputs]
    (port,) = netlist.outputs
    for k, net in enumerate(port.nets):
        waiting, cone = [net], set()
        while waiting:
            cell, inputs = driver.get(waiting.pop(), (None, []))
            if cell is not None and cell not in cone:
                cone.add(cell)
                waiting += inputs
        assert {cell for cell in range(len(netlist.names)) if found[cell] >> k & 1} == cone
