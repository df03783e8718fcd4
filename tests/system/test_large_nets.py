"""An optional engine does not begin with what it has no time for, and says so."""

import numpy as np
import pytest
from support.nets import random_codes, random_net

from mlpress import ir
from mlpress.errors import OutOfTimeError
from mlpress.targets import verilog_engines


def test_amaranth_does_not_begin_with_a_net_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    net = random_net(rng, neurons=4, inputs=3, head="argmax")
    engine, codes = verilog_engines.Amaranth(ir.lower_net(net)), random_codes(rng, net, 4)
    assert engine.run(codes)["output y"].tolist() == ir.interpret(net, codes).decision.tolist()
    monkeypatch.setattr(verilog_engines, "MOST_TERMS", net.terms - 1)
    with pytest.raises(OutOfTimeError, match=f"not begun: its first row of a net of {net.terms} terms"):
        engine.run(codes)
