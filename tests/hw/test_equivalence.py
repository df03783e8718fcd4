"""Proofs of equality: right on everything that can be tried out, and never sure without a proof."""

from dataclasses import replace

import numpy as np
import pytest
from support.circuits import random_circuit
from support.netlists import random_netlist
from support.nets import random_net

from mlpress import codegen, ir
from mlpress.errors import MlpressError
from mlpress.hw import printed
from mlpress.hw.printed import Netlist, PackedNetlist
from mlpress.verify import Machine, OutOfTime, Proven, Refuted, prove_equal

EGFET = printed.load_technology("egfet")


def machine(netlist: Netlist) -> Machine:
    return printed.NetlistMachine(printed.link(netlist, EGFET))


def module(body: str, *, width: int = 24, out: int = 1, ports: str = "x0", head: str = "") -> str:
    return f"module top({ports}, y); {head} input [{width - 1}:0] x0; output [{out - 1}:0] y; {body} endmodule"


@pytest.mark.parametrize("registered", [False, True], ids=["plain", "registered"])
@pytest.mark.parametrize("seed", range(5))
def test_circuit_verilog_and_netlist_of_a_net_are_proven(seed: int, registered: bool) -> None:
    lowered = ir.lower_net(random_net(np.random.default_rng(seed), neurons=8))
    circuit, verilog = ir.bit_blast(lowered.net), codegen.to_verilog(lowered, registered=registered)
    netlist = printed.synthesise(verilog, "top", EGFET, effort="fast").netlist
    off = {"rst": 0, "clk": 0}  # where the answer is constant, the clock is an input that nothing reads
    for verdict in (
        prove_equal(circuit, verilog, held=off),
        prove_equal(verilog, machine(netlist), held={"clk": 0}),
        prove_equal(machine(netlist), circuit, held=off),
    ):
        assert isinstance(verdict, Proven)
        assert verdict.clocks <= (2 if registered else 0)
        assert verdict.seconds > 0


def test_a_verdict_is_what_all_rows_say() -> None:
    """Netlists with one pin on another wire, or one cell of another kind: equal or not, as trying all rows shows."""
    seen = set()
    for seed in range(24):
        netlist = random_netlist(seed)[1]
        changed = mutated(netlist, np.random.default_rng(seed))
        rows = np.arange(64)[:, None]
        answers = [PackedNetlist(one, EGFET).run(rows)["y"] for one in (netlist, changed)]
        verdict = prove_equal(machine(netlist), machine(changed))
        if np.array_equal(*answers):
            assert isinstance(verdict, Proven)
        else:
            assert isinstance(verdict, Refuted)
            (row,) = verdict.inputs
            assert [verdict.one["y"], verdict.other["y"]] == [answer[row["x"]] for answer in answers]
            assert verdict.one != verdict.other
        seen.add(type(verdict))
    assert seen == {Proven, Refuted}


def mutated(netlist: Netlist, rng: np.random.Generator) -> Netlist:
    pins, kind = netlist.pins.copy(), netlist.kind.copy()
    cell = int(rng.integers(len(kind) // 2, len(kind)))
    two = [k for k, found in enumerate(netlist.kinds) if len(found.pins) == 3]
    if kind[cell] in two and rng.random() < 0.5:
        kind[cell] = rng.choice([k for k in two if k != kind[cell]])
    else:
        pins[cell, 0] = pins[int(rng.integers(cell)), 0]
    return replace(netlist, pins=pins, kind=kind)


def test_a_changed_circuit_is_refuted_by_its_own_answers() -> None:
    for seed in range(12):
        rng = np.random.default_rng(seed)
        circuit = random_circuit(rng, gates=40)
        words = [list(word) for word in circuit.outputs]
        words[0][0] ^= 1
        changed = replace(circuit, outputs=tuple(map(tuple, words)))
        verdict = prove_equal(circuit, changed)
        assert isinstance(verdict, Refuted)
        (row,) = verdict.inputs
        codes = np.array([[row[f"x{k}"] for k in range(len(circuit.inputs))]])
        for made, found in ((circuit, verdict.one), (changed, verdict.other)):
            width = len(made.outputs[0])
            assert ir.interpret_circuit(made, codes).words[0, 0] & (1 << width) - 1 == found[made.ports[0]]
        assert verdict.one[circuit.ports[0]] ^ verdict.other[circuit.ports[0]] == 1


def test_the_one_row_that_differs_is_found() -> None:
    """No sample finds one row of 2 ** 24."""
    verdict = prove_equal(module("assign y = x0 == 24'hABCDEF;"), module("assign y = 1'b0;"))
    assert isinstance(verdict, Refuted)
    assert verdict.inputs == ({"x0": 0xABCDEF},)
    assert (verdict.one, verdict.other) == ({"y": 1}, {"y": 0})


def test_equal_words_of_another_shape_are_proven() -> None:
    ripple = "assign y = x0[5:0] + x0[11:6] + x0[17:12];"
    assert isinstance(
        prove_equal(module(ripple, out=8), module("assign y = x0[17:12] + x0[5:0] + x0[11:6];", out=8)), Proven
    )
    verdict = prove_equal(module(ripple, out=8), module("assign y = x0[17:12] + x0[5:0] + x0[12:6];", out=8))
    assert isinstance(verdict, Refuted)


def test_few_bits_are_tried_out_where_no_prover_ends() -> None:
    """20 bits of a multiplier in two shapes, and one wrong row."""
    factored = "assign y = (x0[5:0] + x0[11:6]) * x0[19:12];"
    spread = "assign y = x0[5:0] * x0[19:12] + x0[11:6] * x0[19:12];"
    wrong = f"wire [14:0] z; {spread.replace('y', 'z')} assign y = z ^ (x0 == 20'hFEDCB);"
    one, other, broken = (module(text, width=20, out=15) for text in (factored, spread, wrong))
    assert isinstance(prove_equal(one, other, timeout_s=60), Proven)
    verdict = prove_equal(one, broken, timeout_s=60)
    assert isinstance(verdict, Refuted)
    assert verdict.inputs == ({"x0": 0xFEDCB},)


def test_what_takes_too_long_is_not_proven() -> None:
    """A product of sums against the sum of products."""
    factored = "assign y = (x0[11:0] + x0[23:12]) * x0[35:24];"
    spread = "assign y = x0[11:0] * x0[35:24] + x0[23:12] * x0[35:24];"
    verdict = prove_equal(module(factored, width=36, out=26), module(spread, width=36, out=26), timeout_s=0.5)
    assert isinstance(verdict, OutOfTime)
    assert 0.5 <= verdict.seconds < 20


def pipeline(registers: int, expression: str = "~s0", *, reset: bool = False) -> str:
    """``expression`` of the input of ``registers`` clocks ago, in 4 bits."""
    edge = "posedge clk or posedge rst" if reset else "posedge clk"
    clear = "if (rst) q <= 0; else " if reset else ""
    moves = "; ".join(f"s{k} <= s{k + 1}" for k in range(registers))
    names = "".join(f" reg [3:0] s{k};" for k in range(registers))
    body = f"{names} wire [3:0] s{registers} = x0; always @(posedge clk) begin {moves}; end"
    body += f" reg [3:0] q; always @({edge}) {clear}q <= {expression}; assign y = q;"
    return module(body, width=4, out=4, ports="clk, rst, x0", head="input clk, rst;")


NEGATED = module("assign y = ~x0;", width=4, out=4)


@pytest.mark.parametrize("registers", [1, 3, 7])
def test_a_pipeline_is_its_function_some_clocks_later(registers: int) -> None:
    assert isinstance(prove_equal(NEGATED, pipeline(registers), held={"rst": 0}), Proven)
    verdict = prove_equal(NEGATED, pipeline(registers, "s0 ^ 4'd7"), held={"rst": 0})
    assert isinstance(verdict, Refuted)
    assert len(verdict.inputs) == registers + 2
    x = verdict.inputs[verdict.row]["x0"]
    assert (verdict.one, verdict.other) == ({"y": x ^ 15}, {"y": x ^ 7})


def test_pipelines_of_different_length_differ() -> None:
    assert isinstance(prove_equal(pipeline(1), pipeline(2)), Refuted)


def test_a_lost_reset_is_found() -> None:
    assert isinstance(prove_equal(pipeline(1), pipeline(1, reset=True), held={"rst": 0}), Proven)
    verdict = prove_equal(pipeline(1), pipeline(1, reset=True))
    assert isinstance(verdict, Refuted)
    assert verdict.inputs[-1]["rst"] == 1
    assert verdict.other == {"y": 0}


COUNTER = module(
    "reg [3:0] q; always @(posedge clk) q <= q + x0; assign y = q;", width=4, out=4, ports="clk, x0", head="input clk;"
)
CLOCK_AS_DATA = module(
    "reg [3:0] q; always @(posedge clk) q <= ~x0; assign y = q ^ clk;",
    width=4,
    out=4,
    ports="clk, x0",
    head="input clk;",
)
SUM_OF_ROWS = module(
    "reg [3:0] q; always @(posedge clk) q <= x0; assign y = q + x0;", width=4, out=4, ports="clk, x0", head="input clk;"
)


@pytest.mark.parametrize(
    ("one", "other", "says"),
    [
        (
            NEGATED,
            module("assign y = ~x0;", width=5, out=4),
            "input 'x0': the first circuit has 4 bits, the second has 5",
        ),
        (
            NEGATED,
            module("assign y = 0;", width=4, out=3),
            "output 'y': the first circuit has 4 bits, the second has 3",
        ),
        (NEGATED, NEGATED.replace("y", "z"), "output 'y': .* the second has no 'y'"),
        (NEGATED, COUNTER, "registers feed back"),
        (NEGATED, CLOCK_AS_DATA, "the clock of top is used as data"),
        (NEGATED, SUM_OF_ROWS, "the registers mix rows of several clocks"),
        (NEGATED, "module top(x0, y); input x0 output y;", "verilog:1: syntax error"),
    ],
)
def test_what_cannot_be_proven_is_refused_in_a_line(one: str, other: str, says: str) -> None:
    with pytest.raises(MlpressError, match=says) as caught:
        prove_equal(one, other)
    assert "\n" not in str(caught.value)
