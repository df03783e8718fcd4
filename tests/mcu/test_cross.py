"""What needs cross compilers or simulators from apt: gcc for every core, simavr (``pytest -m cross``)."""

import shutil

import numpy as np
import pytest
from support.mcu_nets import case, check_avr, check_emulated, nets

from mlpress.hw import mcu
from mlpress.sim import mcu as sim

pytestmark = pytest.mark.cross


def needs(tool: str) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")


@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4f", "cortex-m33", "rv32imc", "rv32ec"])
def test_gcc_gives_the_interpreters_values(core: str) -> None:
    machine = mcu.read_core(core)
    needs(machine.gcc[0])
    check_emulated([case(net, machine, index, 8) for index, net in enumerate(nets(7, 18))], machine, "gcc")


@pytest.mark.parametrize("name", ["cortex-m0plus", "cortex-m4f", "cortex-m33", "rv32imc", "rv32ec"])
def test_qemu_gives_the_interpreters_values(name: str) -> None:
    core = mcu.read_core(name)
    if sim.qemu_lacks(core):
        pytest.skip(sim.qemu_lacks(core))
    for index, net in enumerate(nets(8, 6)):
        one = case(net, core, index, 5)
        found = sim.run_qemu(one.source, core, one.codes)
        if one.classes is not None:
            np.testing.assert_array_equal(found.predictions, one.classes)
        if one.source.score_type is not None:
            np.testing.assert_array_equal(found.scores, one.scores)


def test_the_avr_flash_is_measured() -> None:
    if sim.missing():
        pytest.skip(f"{sim.missing()} is not installed")
    core = mcu.read_core("atmega328p")
    net = next(net for net in nets(7, 30) if max(one.bits for one in net.inputs) <= 4 and len(net.inputs) > 8)
    source = case(net, core, 1, 2).source
    sizes = sim.avr_sizes(source, core)
    assert 0.4 < source.facts.flash / sizes.flash < 2.5
    assert sizes.ram == 0


def test_simavr_gives_the_interpreters_values() -> None:
    if sim.missing():
        pytest.skip(f"{sim.missing()} is not installed")
    assert check_avr(18, seed=7) > 12
