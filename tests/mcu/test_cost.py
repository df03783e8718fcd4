"""The cost model and the layouts: estimates near what the emulator measures, small stacks, exact choices."""

import numpy as np
import pytest

from mlpress.codegen import c
from mlpress.hw import mcu
from mlpress.ir import Argmax, Input, Layer, Net, Neuron, QRelu, Raw, interpret, weight_terms
from mlpress.sim import mcu as sim


def classifier(widths: tuple[int, ...], top: int, seed: int) -> Net:
    """A dense net with 4-bit inputs and hidden codes, and weights of at most ``top``."""
    rng = np.random.default_rng(seed)
    layers = []
    for count, inputs in zip(widths[1:], widths[:-1], strict=True):
        last = len(layers) == len(widths) - 2
        activation = Raw() if last else QRelu((top * inputs * 2).bit_length() - 3, 4)
        layers.append(
            Layer(
                tuple(
                    Neuron(
                        int(rng.integers(-20, 20)),
                        tuple(
                            t
                            for s, w in enumerate(rng.integers(-top, top + 1, inputs))
                            for t in weight_terms(int(w), s, 4)
                        ),
                        activation,
                    )
                    for _ in range(count)
                )
            )
        )
    features = tuple(Input(f"x{k}", 4, 16.0, 0.0) for k in range(widths[0]))
    return Net(features, tuple(layers), Argmax(), tuple(range(widths[-1])))


@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4f", "rv32imc", "rv32ec"])
@pytest.mark.parametrize("minimise", ["cycles", "flash"])
def test_estimates_are_within_a_factor_of_two(core: str, minimise: str) -> None:
    net = classifier((40, 16, 5), 7, 1)
    machine = mcu.read_core(core)
    source = c.generate(net, machine, c.COptions("net", "looped", minimise, accumulators=2))  # type: ignore[arg-type]
    firmware = sim.build(source, machine, "O2" if minimise == "cycles" else "Os", "zig")
    codes = np.random.default_rng(2).integers(0, 16, (4, 40))
    run = sim.Emulator(firmware).run(codes, counted=4)
    np.testing.assert_array_equal(run.predictions, interpret(net, codes).decision)
    assert 0.5 < source.facts.cycles / run.cycles.mean() < 2
    assert 0.5 < source.facts.flash / firmware.sizes.flash < 2
    assert firmware.sizes.ram == 0
    assert "unicorn" in run.how
    assert machine.cycles_source in run.how


def test_flash_and_cycles_choose_differently() -> None:
    net = classifier((40, 16, 5), 7, 1)
    machine = mcu.read_core("cortex-m0plus")
    fast, small = (c.generate(net, machine, c.COptions("net", "auto", one)) for one in ("cycles", "flash"))  # type: ignore[arg-type]
    assert fast.facts.cycles < small.facts.cycles
    assert small.facts.flash < fast.facts.flash
    sizes = [sim.build(one, machine, "Os", "zig").sizes.flash for one in (fast, small)]
    assert sizes[1] < sizes[0]


def test_two_sums_share_a_register_only_where_they_fit() -> None:
    machine = mcu.read_core("cortex-m0plus")
    narrow = c.generate(classifier((40, 16, 5), 7, 1), machine, c.COptions("net", "looped", "flash"))
    wide = c.generate(classifier((40, 16, 5), 700, 1), machine, c.COptions("net", "looped", "flash"))
    assert narrow.facts.layers[0] == "multiplied, 4-bit weights, 2 sums a register"
    assert wide.facts.layers[0] == "multiplied, 11-bit weights, 1 sums a register"


def test_a_core_without_a_multiplier_gets_no_multiplication() -> None:
    machine = mcu.read_core("rv32ec")
    for shape in ("looped", "coded", "dsp", "unrolled"):
        source = c.generate(classifier((20, 9, 4), 7, 3), machine, c.COptions("net", shape))  # type: ignore[arg-type]
        for level in ("Os", "O2"):
            assert sim.build(source, machine, level, "zig").sizes.ram == 0


def test_cores_and_parts_state_their_sources() -> None:
    for core in mcu.cores().values():
        assert len(core.cycles_source) > 20
    for part in mcu.parts().values():
        assert part.core in mcu.cores()
        assert part.source
        assert (part.dollars is None) == (part.dollars_source == "")
    assert [part.name for part in mcu.fitting("cortex-m0plus", 20_000, 2_000)] == ["RP2040"]
    assert mcu.fitting("rv32ec", 20_000, 64) == []


@pytest.mark.parametrize(
    ("counting", "code", "onward", "taken"),
    [
        ("m0plus", "0178", 2, 2),  # ldrb r1, [r0]
        ("m0plus", "4843", 1, 1),  # muls r0, r1
        ("m0plus", "fcd1", 1, 2),  # bne
        ("m0plus", "f0b5", 6, 6),  # push {r4-r7, lr}
        ("m0plus", "f0bd", 8, 8),  # pop {r4-r7, pc}
        ("m4", "0178", 2, 2),
        ("m4", "fcd1", 1, 3),
        ("m4", "01fb0203", 1, 1),  # mul r3, r1, r2
        ("riscv", "03a50500", 2, 2),  # lw a0, 0(a1)
        ("riscv", "3385c502", 1, 1),  # mul a0, a1, a2
        ("riscv", "e31e05fe", 1, 3),  # bnez a0
        ("riscv-slow", "75fd", 1, 3),  # c.bnez
        ("riscv-slow", "8280", 3, 3),  # c.jr ra
    ],
)
def test_cycles_of_instructions(counting: str, code: str, onward: int, taken: int) -> None:
    assert sim.cost(counting, bytes.fromhex(code).ljust(4, b"\0")) == (onward, taken)
