"""Two scores that are one value: the code has no variable that nothing reads."""

import numpy as np
from support.mcu_nets import case, check_emulated, check_host

from mlpress.hw import mcu
from mlpress.ir import Argmax, Input, Layer, Net, Neuron, Raw, Term


def test_a_tie_for_all_inputs_compiles_without_a_warning() -> None:
    inputs = (Input("a", 3, 1.0, 0.0), Input("b", 3, 1.0, 0.0))
    ahead = Neuron(-1, (Term(0, 1, 0, 7), Term(1, 1, 1, 7)), Raw())
    behind = Neuron(-30, (), Raw())
    net = Net(inputs, (Layer((behind, ahead, ahead)),), Argmax(), ("a", "b", "c"))
    core = mcu.read_core("cortex-m0plus")
    made = [case(net, core, 0, 8)]
    check_host(made)
    check_emulated(made, core)
    assert made[0].classes is not None
    assert (np.asarray(made[0].classes) == 1).all()
