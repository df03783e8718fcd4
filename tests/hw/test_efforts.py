"""What the efforts do: thorough draws among scripts, repeats, and nothing that is another function gets through."""

import pytest

from mlpress.hw.printed import Netlist, NetlistMachine, link, load_technology, synthesise
from mlpress.hw.printed.synthesis import abc_scripts, synth
from mlpress.verify import Machine, Proven, prove_equal

EGFET = load_technology("egfet")
MULTIPLY = "module top(input [3:0] a, b, c, output y); assign y = a * b > c * 5; endmodule"


def machine(netlist: Netlist) -> Machine:
    return NetlistMachine(link(netlist, EGFET))


def test_thorough_draws_repeats_and_is_proven() -> None:
    found = synthesise(MULTIPLY, "top", EGFET, effort="thorough")
    assert "&deepsyn" in found.script
    assert found.area_um2 < 0.95 * synthesise(MULTIPLY, "top", EGFET).area_um2
    assert found.verilog == synthesise(MULTIPLY, "top", EGFET, effort="thorough").verilog
    assert isinstance(prove_equal(MULTIPLY, machine(found.netlist)), Proven)
    assert found.log.splitlines()[-1] == "equal to the Verilog's gates for all inputs"


def test_a_smaller_result_of_another_function_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = "zeropo -N 0\nstrash\ndch\namap"
    monkeypatch.setattr(synth, "EFFORTS", {"fast": (*synth.EFFORTS["fast"], wrong)})
    found = synthesise(MULTIPLY, "top", EGFET, effort="fast")
    assert found.area_um2 > 0
    assert found.notes == ("a smaller result of ABC is not the same function and was left out; please report this",)
    assert isinstance(prove_equal(MULTIPLY, machine(found.netlist)), Proven)


def test_large_graphs_are_not_drawn_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abc_scripts, "MOST_DEEP_NODES", 10)
    found = synthesise(MULTIPLY, "top", EGFET, effort="thorough")
    assert "&deepsyn" not in found.script
    assert found.notes == ("&deepsyn was left out: it takes too long on over 10 and-gates",)
