"""What needs cross compilers or simulators from apt: gcc for every core, simavr (``pytest -m cross``)."""

import shutil

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


def test_simavr_gives_the_interpreters_values() -> None:
    if sim.missing():
        pytest.skip(f"{sim.missing()} is not installed")
    assert check_avr(18, seed=7) > 12
