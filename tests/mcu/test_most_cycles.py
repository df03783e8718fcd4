"""A limit of cycles: the smallest code is chosen among the shapes that keep to it, in a search too."""

import pytest
from support.mcu_nets import nets

from mlpress.codegen import c
from mlpress.errors import MlpressError
from mlpress.hw import mcu
from mlpress.ir import Net
from mlpress.pipeline.compile import Options
from mlpress.pipeline.settings import Settings, limits_of, settled
from mlpress.targets import Microcontroller

CORE = mcu.read_core("cortex-m0plus")
SHAPES = ("looped", "listed", "unrolled", "coded")


def dense(seed: int) -> Net:
    """A net of full matrices."""
    return list(nets(seed, 2))[1]


def generated(net: Net, shape: str = "auto", most: int = 0) -> c.CSource:
    return c.generate(net, CORE, c.COptions("net", shape, "flash", most_cycles=most))  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(2))
def test_auto_takes_the_smallest_of_what_is_fast_enough(seed: int) -> None:
    net = dense(seed)
    ways = [generated(net, shape).facts for shape in SHAPES]
    for most in (1, min(one.cycles for one in ways), sorted(one.cycles for one in ways)[1]):
        within = [one.flash for one in ways if one.cycles <= most]
        found = generated(net, most=most).facts
        if within:
            assert found.cycles <= most
            assert found.flash == min(within)
        else:
            assert found.cycles == min(one.cycles for one in ways)
    assert generated(net).facts.flash == min(one.flash for one in ways)


def test_the_limit_of_a_search_is_that_of_its_code() -> None:
    options = Options.of("cortex-m0plus")
    for most, wanted in (({"cycles": 5000.0}, 5000), ({"flash_b": 900.0}, 0), ({"cycles": 0.5}, 1)):
        target = settled(options, Settings(limits=limits_of(None, most)))[0].target
        assert isinstance(target, Microcontroller)
        assert (target.goal, target.most_cycles) == ("flash", wanted)
        assert target.facts()["most_cycles"] == wanted


def test_less_than_no_limit_is_refused() -> None:
    with pytest.raises(MlpressError, match=r"^most_cycles is -1; it must be 0 \(no limit\) or more$"):
        Microcontroller(most_cycles=-1).check()
