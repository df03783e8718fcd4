"""``_quantize`` where each input has a scale of its own: exact, and at most 40 cycles per input on a Cortex-M0+."""

import numpy as np
import pytest

from mlpress.codegen import c
from mlpress.hw import mcu
from mlpress.ir import Argmax, Input, Layer, Net, Neuron, Raw, encode
from mlpress.sim import mcu as sim


@pytest.mark.parametrize("level", ["O2", "Os"])
@pytest.mark.parametrize("bits", [1, 2, 3, 4])
def test_own_scales_take_at_most_40_cycles(bits: int, level: str) -> None:
    core = mcu.read_core("cortex-m0plus")
    scales = [(0.37 + k / 7) * 2.0 ** (bits - 4) for k in range(8)]
    features = tuple(Input(f"x{k}", bits, scale, 0.3 - k / 9) for k, scale in enumerate(scales))
    net = Net(features, (Layer((Neuron(0, (), Raw()), Neuron(1, (), Raw()))),), Argmax(), (0, 1))
    firmware = sim.build(c.generate(net, core, c.COptions("net", "looped")), core, level, "zig")
    rows = np.random.default_rng(0).normal(0, 20, (12, 8)).astype(np.float32)
    codes, cycles = sim.Emulator(firmware).quantize(rows)
    np.testing.assert_array_equal(codes, encode(net, rows.astype(np.float64)))
    assert cycles <= 40
