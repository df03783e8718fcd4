"""Networks of 2 bits against networks of 8 bits: accuracy, printed area, and look-up tables, clock and latency on ECP5.

`8-bit`: the best of a few trainings, quantised to 8-bit weights and hidden outputs.  `2-bit`: the same topology,
trained with 2-bit weights and hidden outputs.  Inputs have 4 bits.  `da4ml`: the same two networks, each layer's
constant matrix by da4ml, with the same clips, ladders and arg-max around it, in the same flow (`hw/fpga`).  Flip-flops
stand at all ports.  That both compute the same function is checked on every test row.  Needs the extras
`mlpress[bench,fpga]`.

``--show benchmarks/results/lowbit.json`` prints the table that is kept there.
"""

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from exact import best_model, da4ml_sums, rtl
from support import TOPOLOGIES, arguments, protocol, show

from mlpress import Dataset, approx, codegen, from_sklearn, ir, quantise
from mlpress.hw import fpga, printed
from mlpress.sim import Rtl
from mlpress.verify import port_values

SEEDS = 8
LOW = approx.Training((), bits=2, epochs=80, rate=0.02, whole=2, scaled=True)
DEVICE = "ecp5-25k"


def low_bits(train: Dataset, net: ir.Net, hidden: tuple[int, ...]) -> ir.Net:
    """The best of :data:`SEEDS` trainings with the inputs of ``net``, by accuracy on a quarter of the training rows."""
    fit, held = train.split(test_size=0.25, seed=0)
    shape = approx.dense(net.inputs, hidden, net.classes, 2)
    codes = [ir.encode(net, part.features) for part in (fit, held)]
    nets = [approx.train(codes[0], fit.labels, shape, replace(LOW, hidden=hidden, seed=seed)) for seed in range(SEEDS)]
    right = [float(np.mean(ir.interpret(one, codes[1]).decision == held.labels)) for one in nets]
    return nets[int(np.argmax(right))]


def registered(verilog: str) -> str:
    """A combinational ``top``, with flip-flops at its inputs and outputs as in our own designs."""
    ports = re.findall(r"(input|output) (\[\d+:0\]) (\w+)", verilog.partition(";")[0])
    heads = "".join(f", {side} {'reg ' * (side == 'output')}{span} {name}" for side, span, name in ports)
    inner = "".join(
        f"  reg {span} {name}_held;\n" if side == "input" else f"  wire {span} {name}_next;\n"
        for side, span, name in ports
    )
    moves = [(f"{name}_held", name) if side == "input" else (name, f"{name}_next") for side, _, name in ports]
    connected = ", ".join(f".{name}({name}_{'held' if side == 'input' else 'next'})" for side, _, name in ports)
    resets = "".join(f"      {to} <= 0;\n" for to, _ in moves)
    loads = "".join(f"      {to} <= {source};\n" for to, source in moves)
    return (
        f"{verilog.replace('module top(', 'module core(')}\nmodule top(input clk, input rst{heads});\n{inner}"
        f"  core core({connected});\n  always @(posedge clk or posedge rst)\n    if (rst) begin\n{resets}"
        f"    end else begin\n{loads}    end\nendmodule\n"
    )


def checked(verilog: str, codes: np.ndarray, expected: np.ndarray) -> None:
    """Raise where the registered Verilog answers otherwise, two clocks later."""
    engine = Rtl(verilog)
    late = np.concatenate([codes, np.repeat(codes[-1:], 2, axis=0)])
    columns = port_values(late, [bus.name for bus in engine.gates.inputs])
    if not np.array_equal(engine.run(columns)["y"][2:], expected):
        raise SystemExit("the Verilog computes another function")


def measured(verilog: str, place: bool) -> dict[str, float | None]:
    """Look-up tables, and clock in MHz and latency in ns after routing."""
    device = fpga.read_device(DEVICE)
    netlist = fpga.synthesise(verilog, device)
    clock = fpga.route(netlist, device).fmax_mhz if place else None
    return {"luts": fpga.resources(netlist).luts, "mhz": clock, "ns": None if clock is None else 2000 / clock}


def measure(options: Any, name: str) -> list[dict[str, Any]]:
    """The rows of a set: one for each number of bits."""
    train, test, scaler = protocol(options.data, name)
    hidden = TOPOLOGIES[name][1:-1]
    model, _ = best_model(train, hidden[0], scaler)
    eight = quantise(from_sklearn(model), train, input_bits=4, weight_bits=8, activation_bits=8).net
    codes = ir.encode(eight, test.features)
    rows = []
    for bits, net in ((8, eight), (2, low_bits(train, eight, hidden))):
        expected = ir.interpret(net, codes).decision
        lowered = ir.lower_net(net)
        ours, theirs = codegen.to_verilog(lowered, registered=True), registered(rtl(net, da4ml_sums))
        for text in (ours, theirs):
            checked(text, codes, expected)
        own, other = measured(ours, options.place), measured(theirs, options.place)
        area = printed.synthesise(codegen.to_verilog(lowered), "top", printed.load_technology("egfet"), effort="fast")
        rows.append(
            {
                "dataset": name,
                "topology": "-".join(str(n) for n in TOPOLOGIES[name]),
                "bits": bits,
                "accuracy": float(np.mean(expected == test.labels)),
                "egfet_cm2": area.area_um2 * 1e-8,
                **own,
                **{f"da4ml_{key}": value for key, value in other.items()},
                "luts_to_da4ml": own["luts"] / other["luts"],
            }
        )
    return rows


def ratios(rows: list[dict[str, Any]]) -> dict[str, tuple[float, float]]:
    """Our look-up tables per da4ml's, geometric mean and largest, by bits and of all rows."""
    groups = {f"{bits}-bit": [row for row in rows if row["bits"] == bits] for bits in (2, 8)} | {"all": rows}
    found = {}
    for name, group in groups.items():
        shares = [row["luts_to_da4ml"] for row in group]
        if shares:
            found[name] = (math.exp(sum(map(math.log, shares)) / len(shares)), max(shares))
    return found


def main() -> None:
    """Print the table."""
    parser = arguments(str(__doc__).splitlines()[0])
    parser.add_argument("--no-place", dest="place", action="store_false", help="look-up tables alone")
    parser.add_argument("--show", type=Path, metavar="FILE", help="measure nothing: the table of these lines")
    options = parser.parse_args()
    if options.show is not None:
        rows = [json.loads(line) for line in options.show.read_text(encoding="utf-8").splitlines()]
    else:
        rows = [row for name in options.only for row in measure(options, name)]
    show(f"Networks of 2 and of 8 bits; {DEVICE}", rows, options.json)
    if not options.json:
        for name, (mean, largest) in ratios(rows).items():
            print(f"look-up tables to da4ml's, {name}: geometric mean {mean:.3f}, largest {largest:.3f}")


if __name__ == "__main__":
    main()
