"""Power against numbers worked out here by hand."""

import numpy as np
import pytest
from support.netlists import CELLS, naive_nets, random_netlist
from support.tiny_liberty import TINY

from mlpress.hw.printed import (
    PackedNetlist,
    Power,
    critical_path,
    estimate_power,
    link,
    load_technology,
    parse_liberty,
    parse_netlist,
)


def spend(cells: str, ports: str, rows: dict[str, list[int]], voltage: float = 2.0, rate_hz: float = 1.0) -> Power:
    netlist = parse_netlist(f"module top ({ports});\n{cells}\nendmodule")
    linked = link(netlist, parse_liberty(TINY) if voltage == 2.0 else load_technology("egfet"))
    activity = PackedNetlist(linked).activity({name: np.array(values) for name, values in rows.items()})
    return estimate_power(linked, activity, critical_path(linked, voltage), rate_hz)


def test_inverter_by_hand() -> None:
    """A is 1 in 3 of 4 rows: 3/4 * 3,000 nW + 1/4 * 7,000 nW = 4 uW.

    Y changes 2 times in 3 steps.  Its energy, no load: rise 40, fall 20, so 30 pJ a change in the mean.
    A's net: (4 + 5) / 2 pF * (2 V)^2 / 2 = 9 pJ a change.
    """
    found = spend("INV u (.A(a), .Y(y));", "input a, output y", {"a": [1, 0, 1, 1]}, rate_hz=1000)
    assert found.static_mw == pytest.approx(4e-3, rel=1e-12)
    assert found.internal_mw == pytest.approx(2 / 3 * 30 * 1000 * 1e-9, rel=1e-12)
    assert found.switching_mw == pytest.approx(2 / 3 * 9 * 1000 * 1e-9, rel=1e-12)
    assert found.dynamic_mw == found.internal_mw + found.switching_mw
    assert found.total_mw == found.static_mw + found.dynamic_mw


def test_nand_by_hand() -> None:
    """Five rows (a, b) = 00, 11, 11, 01, 10: P(a) = P(b) = 3/5, taken as independent.

    Static: P(a) P(b) 20 uW + P(!a) P(!b) 4 uW + the rest at the cell's default of 10 uW.
    Y = 1, 0, 0, 1, 1: 2 changes in 4 steps; a changes 3 times, b 3 times (0,1,1,1,0: 2 times).
    Output energy: a's 60 and b's 120 pJ, weighed by the inputs' changes.  Input energy: 8 pJ a change while
    Y is 0, which has probability 9/25.
    """
    found = spend("NAND u (.A(a), .B(b), .Y(y));", "input a, b, output y", {"a": [0, 1, 1, 0, 1], "b": [0, 1, 1, 1, 0]})
    static = 9 / 25 * 20 + 4 / 25 * 4 + 12 / 25 * 10
    assert found.static_mw == pytest.approx(static * 1e-3, rel=1e-12)
    a, b, y = 3 / 4, 2 / 4, 2 / 4
    output = y * (a * 60 + b * 120) / (a + b)
    quiet = (a + b) * 8 * 9 / 25
    assert found.internal_mw == pytest.approx((output + quiet) * 1e-9, rel=1e-12)
    assert found.switching_mw == pytest.approx((a + b) * 3 * 2**2 / 2 * 1e-9, rel=1e-12)


def test_supply_rails_add_up() -> None:
    text = TINY.replace("fall_power (delay_2x2)", "dummy (delay_2x2)")
    vss = (
        'internal_power () { related_pin : "A"; related_pg_pin : VSS; power (delay_2x2) { values ("5, 5", "5, 5"); } }'
    )
    text = text.replace(
        '      timing () {\n        related_pin : "A";',
        f'      {vss}\n      timing () {{\n        related_pin : "A";',
        1,
    )
    netlist = parse_netlist("module top (input a, output y); INV u (.A(a), .Y(y)); endmodule")
    linked = link(netlist, parse_liberty(text))
    activity = PackedNetlist(linked).activity({"a": np.array([0, 1])})
    found = estimate_power(linked, activity, critical_path(linked, 2.0), 1.0)
    assert found.internal_mw == pytest.approx((40 / 2 + 5) * 1e-9, rel=1e-12)


def test_egfet_states_from_the_published_figures() -> None:
    """NAND2 at 1.0 V by state (nW, re-typed): 00 248.054, A1 alone 391.073, A2 alone 490.604, 11 18,569.1."""
    rows = {"a": [0, 1, 0, 1] * 10, "b": [0, 0, 1, 1] * 10}
    found = spend("NAND2X1 u (.A1(a), .A2(b), .Y(y));", "input a, b, output y", rows, 1.0)
    assert found.static_mw == pytest.approx((248.054 + 391.073 + 490.604 + 18569.1) / 4 * 1e-6, rel=1e-12)
    tied = spend("NAND2X1 u (.A1(a), .A2(1'b0), .Y(y));", "input a, output y", {"a": [1, 1]}, 1.0)
    assert tied.static_mw == pytest.approx(391.073e-6, rel=1e-12) and tied.dynamic_mw == 0


def test_static_power_of_random_netlists_from_the_naive_evaluation() -> None:
    """Probabilities counted row by row in plain Python, then the published states."""
    technology = load_technology("egfet")
    for seed in range(10):
        _, netlist = random_netlist(seed)
        linked = link(netlist, technology)
        rows = np.random.default_rng(seed).integers(0, 64, 150)
        nets = np.array([naive_nets(netlist, {"x": int(row)}) for row in rows])
        one, toggles = nets.mean(axis=0), np.abs(np.diff(nets, axis=0)).mean(axis=0)
        activity = PackedNetlist(linked).activity({"x": rows})
        assert np.allclose(activity.one, one, rtol=0, atol=1e-15) and np.allclose(
            activity.toggles, toggles, rtol=0, atol=1e-15
        )
        expected = 0.0
        for kind, pins in zip(netlist.kind.tolist(), netlist.pins.tolist(), strict=True):
            name, names = netlist.kinds[kind].name, netlist.kinds[kind].pins
            corner = technology.cells[name].corners[0.8]
            inputs, function = CELLS[name]
            for state in range(1 << len(inputs)):
                bits = [state >> k & 1 for k in range(len(inputs))]
                chance = np.prod(
                    [
                        one[pins[names.index(p)]] if bit else 1 - one[pins[names.index(p)]]
                        for p, bit in zip(inputs, bits, strict=True)
                    ]
                )
                literals = [
                    pin if bit else "!" + pin for pin, bit in zip([*inputs, "Y"], [*bits, function(*bits)], strict=True)
                ]
                power = next(value for when, value in corner.states if spell(when) == set(literals))
                expected += chance * power
        found = estimate_power(linked, activity, critical_path(linked, 0.8), 5.0)
        assert found.static_mw == pytest.approx(expected * 1e-6, rel=1e-12)


def spell(expression) -> set[str]:
    """The literals of a product, as text."""
    from mlpress.hw.printed.cells.boolean import Gate, Not, Signal

    match expression:
        case Signal(name):
            return {name}
        case Not(Signal(name)):
            return {"!" + name}
        case Gate("and", left, right):
            return spell(left) | spell(right)
    raise AssertionError(expression)


def test_dynamic_power_grows_with_the_rate_and_static_does_not() -> None:
    rows = {"a": [0, 1] * 50, "b": [0, 1, 1, 0] * 25}
    slow = spend("XOR2X1 u (.A1(a), .A2(b), .Y(y));", "input a, b, output y", rows, 1.0, 1.0)
    fast = spend("XOR2X1 u (.A1(a), .A2(b), .Y(y));", "input a, b, output y", rows, 1.0, 20.0)
    assert fast.static_mw == slow.static_mw
    assert fast.dynamic_mw == pytest.approx(20 * slow.dynamic_mw)


def test_no_change_no_dynamic_power() -> None:
    found = spend("XOR2X1 u (.A1(a), .A2(b), .Y(y));", "input a, b, output y", {"a": [1], "b": [0]}, 1.0)
    assert found.dynamic_mw == 0 and found.static_mw == pytest.approx(19923.9e-6)


def test_flip_flop_power_counts_its_clock() -> None:
    text = "DFFNRX1 r (.CP(clk), .D(x), .RST_N(1'b1), .Q(y), .Q_bar());"
    quiet = spend(text, "input clk, x, output y", {"x": [0] * 8}, 1.0, 5.0)
    busy = spend(text, "input clk, x, output y", {"x": [0, 1] * 4}, 1.0, 5.0)
    assert 0 < quiet.dynamic_mw < busy.dynamic_mw
    # D = 0, Q = 0, not in reset: 132,344 nW with the clock high, 114,555 nW with the clock low, as published
    assert quiet.static_mw == pytest.approx((132344 + 114555) / 2 * 1e-6, rel=1e-12)
