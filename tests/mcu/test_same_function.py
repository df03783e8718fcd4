"""The generated C is the same function as the net: on this computer with sanitizers, and on emulated cores."""

import numpy as np
import pytest
from support.mcu_nets import case, check_emulated, check_host, nets

from mlpress.hw import mcu

COUNT = 22
CORES = ("cortex-m0plus", "cortex-m4f", "rv32imc", "rv32ec")


@pytest.mark.parametrize("core", CORES)
def test_emulated_cores_give_the_interpreters_values(core: str) -> None:
    machine = mcu.read_core(core)
    check_emulated([case(net, machine, index, 8) for index, net in enumerate(nets(1, COUNT))], machine)


@pytest.mark.parametrize("core", [*CORES, "atmega328p"])
def test_the_same_sources_on_the_host_with_sanitizers(core: str) -> None:
    machine = mcu.read_core(core)
    check_host([case(net, machine, index, 40) for index, net in enumerate(nets(2, COUNT))])


def test_the_check_sees_a_wrong_class() -> None:
    machine = mcu.read_core("cortex-m0plus")
    one = case(next(iter(nets(3, 1))), machine, 0, 4)
    assert one.classes is not None
    with pytest.raises(AssertionError):
        check_emulated([one._replace(classes=one.classes + 1)], machine)
    with pytest.raises(AssertionError):
        check_host([one._replace(feature_codes=one.feature_codes + np.int64(1))])
