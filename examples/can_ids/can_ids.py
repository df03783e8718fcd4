"""Intrusion detection on a CAN bus by a network of 2-bit weights and outputs, as an FPGA, C and printed circuit.

python examples/can_ids/can_ids.py                     synthetic traffic
python examples/can_ids/can_ids.py --csv DoS_dataset.csv --attack dos       a file of the published set
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from features import BITS, NAMES, codes_of, too_soon, unknown_identifier, usual_gaps
from sklearn.tree import DecisionTreeClassifier
from traffic import ATTACKS, FRAME_S, Traffic, generate, load

from mlpress import Design, approx, ir
from mlpress.pipeline.compile import Options, build_design
from mlpress.targets import Microcontroller, Rows

UNKNOWN = "not known"
TARGETS = ("ecp5-25k", "cortex-m0plus", "egfet")
FEWEST = 100
"""Messages to train on."""

TRAIN = 0.6
"""Share of the messages, the first ones, that everything is fitted to."""

WARNING = (
    "Synthetic traffic: its attacks are as regular as its description, its car has 20 identifiers and no modes, "
    "gateways or drivers. It shows that the flow works and what hardware costs, not how many attacks on a real car "
    "are found."
)


def scores(name: str, found: np.ndarray, attack: np.ndarray) -> str:
    """A line of the table: accuracy, F1, false alarms, and the share of each attack that is found."""
    wanted = attack > 0
    hit = int(np.sum(found[wanted]))
    alarms = int(np.sum(found[~wanted]))
    f1 = 2 * hit / max(2 * hit + alarms + int(np.sum(wanted)) - hit, 1)
    parts = [float(np.mean(found[attack == 1 + k])) if np.any(attack == 1 + k) else None for k in range(len(ATTACKS))]
    shown = " ".join("     -" if part is None else f"{100 * part:6.1f}" for part in parts)
    right = 100 * np.mean(found == wanted)
    return f"{name:<34}{right:8.2f}{f1:8.4f}{100 * alarms / max(int(np.sum(~wanted)), 1):10.2f}   {shown}"


def network(codes: np.ndarray, labels: np.ndarray, hidden: tuple[int, ...], bits: int, epochs: int) -> ir.Net:
    """A trained network of ``bits`` bits."""
    inputs = tuple(ir.Input(name, BITS, 1.0, 0.0) for name in NAMES)
    shape = approx.dense(inputs, hidden, ("normal", "attack"), bits)
    how = approx.Training(hidden, bits=bits, epochs=epochs, batch=128, rate=0.02, whole=bits, scaled=True)
    return approx.train(codes, labels, shape, how)


class Taken(NamedTuple):
    """What a message takes on one piece of hardware."""

    name: str
    time: str
    energy: str
    size: str


def hardware(design: Design) -> Iterator[Taken]:
    """Yield time, energy and size; of a microcontroller for each part that has its core."""
    facts = design.facts
    size = ", ".join(f"{name} {value:g}" for name, value in design.cost.items() if name != "latency")
    match design.target:
        case Microcontroller() as core:
            rows = Rows(design.features, design.rows.codes, design.labels)
            for part in core.parts(design.artifact, rows):
                energy = UNKNOWN if part["nanojoules"] is None else f"{part['nanojoules']:.1f} nJ"
                yield Taken(f"C on {part['part']}", f"{part['microseconds']:.2f} us", energy, size)
        case target if "estimate" in facts:
            known = facts["estimate"]
            power = next(one for one in known["voltages"] if one["voltage"] == known["nominal_voltage"])
            time = power["critical_path_ms"]
            yield Taken(f"printed {target.name}", f"{time:.1f} ms", f"{time * power['total_mw']:.1f} uJ", size)
        case target:
            placed = facts["fpga"].get("fmax_mhz")
            time = f"{design.cost['latency'] / 1000:.3f} us" if placed else "not placed"
            yield Taken(target.name, time, UNKNOWN, size)


PUBLISHED = Taken("published, Zynq UltraScale+", "110 us", "230 uJ", "a 2-bit MLP by FINN, on the car-hacking set")
"""Of the seed paper, "Exploring Highly Quantised Neural Networks for Intrusion Detection in Automotive CAN"."""


def table(rows: Sequence[Taken]) -> str:
    """Return the rows below their headings."""
    every = [Taken("", "per message", "energy", "size"), *rows]
    return "\n".join(f"{row.name:<30}{row.time:>12}{row.energy:>12}   {row.size}" for row in every)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print accuracy beside the baselines, then what each hardware takes."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--csv", type=Path, help="a file of the published car-hacking set")
    parser.add_argument("--attack", choices=ATTACKS, default="dos", help="the attack that the file holds")
    parser.add_argument("--seconds", type=float, default=12.0, help="of synthetic traffic")
    parser.add_argument("--hidden", type=int, nargs="+", default=[8], help="hidden neurons of each layer")
    parser.add_argument("--bits", type=int, default=2, help="of weights and hidden outputs, 1 to 4")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--targets", nargs="*", choices=TARGETS, default=list(TARGETS))
    parser.add_argument("--no-place", action="store_true", help="map to look-up tables, without place and route")
    options = parser.parse_args(arguments)
    traffic = load(options.csv, options.attack) if options.csv else generate(options.seconds)
    cut = int(TRAIN * len(traffic.seconds))
    kinds = len(set((traffic.attack[:cut] > 0).tolist()))
    if cut < FEWEST or kinds < 2:
        raise SystemExit(
            f"the first {cut} messages, {TRAIN:.0%} of all, are to train on; there must be {FEWEST} or more, of "
            "the car and of an attacker"
        )
    usual = usual_gaps(Traffic(*(column[:cut] for column in vars(traffic).values())))
    codes, labels = codes_of(traffic, usual), (traffic.attack > 0).astype(np.int64)
    net = network(codes[:cut], labels[:cut], tuple(options.hidden), options.bits, options.epochs)
    tree = DecisionTreeClassifier(max_depth=6, random_state=0).fit(codes[:cut], labels[:cut])
    late, attack = codes[cut:], traffic.attack[cut:]
    common = int(np.mean(labels[:cut]) > 0.5)
    decided = {
        "the more frequent class": np.full(len(late), common),
        "look-up of identifiers": unknown_identifier(late),
        "look-up and period check": too_soon(late),
        "decision tree, depth 6": tree.predict(late),
        f"network, {options.bits}-bit weights and outputs": ir.interpret(net, late).decision,
    }
    print(f"{len(labels)} messages; fitted to the first {cut}, tested on the {len(late)} after them (split by time)")
    print(f"{'':<34}{'right %':>8}{'F1':>8}{'alarms %':>10}   {' '.join(f'{name:>6}' for name in ATTACKS)} % found")
    for name, found in decided.items():
        print(scores(name, np.asarray(found), attack))
    if not options.csv:
        print(WARNING)
    taken = []
    for name in options.targets:
        own = {"place": False} if options.no_place and name == "ecp5-25k" else {}
        rows = slice(0, len(late), max(1, len(late) // 500))
        taken += hardware(build_design(net, late[rows], labels[cut:][rows], Options.of(name, **own)))
    print(table([*taken, PUBLISHED]))
    print(f"a bus of 500 kbit/s sends a message every {1e6 * FRAME_S:.0f} us at most")


if __name__ == "__main__":
    main()
