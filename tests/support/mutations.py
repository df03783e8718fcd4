"""Functional mutations of small designs: one change of netlist, Verilog or program that changes an answer.

Whether a mutation is functional is decided on all rows of input codes, which are few.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from mlpress import Design, ir
from mlpress.errors import MlpressError
from mlpress.hw.printed import PackedNetlist, load_technology, parse_netlist
from mlpress.pipeline.compile import Options, build_design
from mlpress.sim.rtl import Rtl
from mlpress.verify import port_values

FOLDERS = Path(__file__).parents[1] / "folders"
KINDS = ("netlist", "Verilog", "program")
CELLS = ("AND2X1", "OR2X1", "NAND2X1", "NOR2X1", "XOR2X1", "XNOR2X1")
CELL = re.compile(r"\b(?:X?N?(?:AND|OR)2X1|X?N?OR2X1)\b")
PIN = re.compile(r"(?<=\()[\w\\][\w\[\]]*(?=\))")
OPERATOR = re.compile(r" [&|^] ")


@dataclass(frozen=True)
class Mutation:
    """A changed design: what was changed, and how, in one line."""

    kind: str
    how: str
    design: Design


def designs() -> dict[str, Design]:
    """Return five small designs: two of earlier versions, and three made here."""
    found = {name: Design.load(FOLDERS / name) for name in ("printed-1", "printed-2")}
    for seed, (inputs, bits, options) in enumerate(((2, 4, {}), (3, 3, {"registered": True}), (4, 2, {}))):
        rows = np.random.default_rng(seed).uniform(0, 8, (40, inputs))
        chosen = Options.of(effort="fast", **options)
        found[f"net {inputs} x {bits}"] = build_design(net(seed, inputs, bits), rows, np.zeros(40, np.int64), chosen)
    return found


def net(seed: int, inputs: int, bits: int) -> ir.Net:
    """Return a net of two layers with random weights."""
    rng = np.random.default_rng(seed)
    features = tuple(ir.Input(f"f{k}", bits, 2.0**bits / 8, 0.0, rounding="floor") for k in range(inputs))

    def layer(count: int, sources: int, width: int, activation: ir.Activation) -> ir.Layer:
        weights = rng.integers(-9, 10, (count, sources)).tolist()
        rows = [tuple(t for k, w in enumerate(row) for t in ir.weight_terms(w, k, width)) for row in weights]
        return ir.Layer(tuple(ir.Neuron(int(rng.integers(0, 20)), row, activation) for row in rows))

    layers = (layer(3, inputs, bits, ir.QRelu(2, 4)), layer(3, 3, 4, ir.Raw()))
    made = ir.Net(features, layers, ir.Argmax(), ("a", "b", "c"))
    ir.verify(made)
    return made


def mutations(design: Design, kind: str, rng: Random) -> Iterator[Mutation]:
    """Yield functional mutations of one kind, for ever."""
    program = design.program
    assert isinstance(program, ir.Net)
    codes = (
        np.array(np.meshgrid(*[np.arange(1 << one.bits) for one in program.inputs])).reshape(len(program.inputs), -1).T
    )
    known = _answers(design, kind, codes)
    while True:
        how, changed = _changed(design, kind, rng)
        if changed is None:
            continue
        try:
            answers = _answers(changed, kind, codes)
        except (MlpressError, KeyError):
            continue
        if answers.shape == known.shape and (answers != known).any():
            yield Mutation(kind, how, changed)


def _answers(design: Design, kind: str, codes: NDArray[np.int64]) -> NDArray[np.int64]:
    if kind == "program":
        return np.asarray(ir.predict(design.program, codes))
    if kind == "netlist":
        packed = PackedNetlist(parse_netlist(design.text("netlist.v")), load_technology("egfet"))
        names, run = [port.name for port in packed.inputs], packed.run
    else:
        rtl = Rtl(design.text("top.v"))
        names, run = [bus.name for bus in rtl.gates.inputs], rtl.run
    return np.asarray(run(port_values(codes, names, design.program.inputs))["y"])


def _changed(design: Design, kind: str, rng: Random) -> tuple[str, Design | None]:
    if kind == "program":
        return _changed_net(design, rng)
    name = "netlist.v" if kind == "netlist" else "top.v"
    text = design.text(name)
    pattern = (
        rng.choice((CELL, PIN)) if kind == "netlist" else rng.choice((OPERATOR, re.compile(r"(?<== )~|\bn?\d+\b")))
    )
    places = list(pattern.finditer(text, text.index(";")))
    if not places:
        return "", None
    place = rng.choice(places)
    if pattern is CELL:
        new = rng.choice([one for one in CELLS if one != place[0]])
    elif pattern is PIN:
        new = rng.choice(places)[0]
    elif pattern is OPERATOR:
        new = rng.choice([one for one in (" & ", " | ", " ^ ") if one != place[0]])
    else:
        new = "" if place[0] == "~" else rng.choice(places)[0].replace("~", "0")
    if new == place[0]:
        return "", None
    return f"{place[0].strip()} becomes {new.strip()}", design.with_file(
        name, text[: place.start()] + new + text[place.end() :]
    )


def _changed_net(design: Design, rng: Random) -> tuple[str, Design | None]:
    program = design.program
    assert isinstance(program, ir.Net)
    at = rng.randrange(len(program.layers))
    neurons = list(program.layers[at].neurons)
    k = rng.randrange(len(neurons))
    neuron, terms = neurons[k], list(neurons[k].terms)
    t = rng.randrange(len(terms)) if terms else -1
    match rng.randrange(5):
        case 0:
            changed, how = replace(neuron, bias=neuron.bias + rng.choice((-4, -2, -1, 1, 2, 4))), "bias"
        case 1 if terms:
            changed, how = replace(neuron, terms=tuple(terms[:t] + terms[t + 1 :])), "a term is gone"
        case 2 if terms:
            terms[t] = replace(terms[t], sign=-terms[t].sign)
            changed, how = replace(neuron, terms=tuple(terms)), "a sign"
        case 3 if terms:
            terms[t] = replace(terms[t], shift=max(0, terms[t].shift + rng.choice((-1, 1))))
            changed, how = replace(neuron, terms=tuple(terms)), "a shift"
        case 4 if terms:
            terms[t] = replace(terms[t], mask=terms[t].mask & (terms[t].mask - 1))
            changed, how = replace(neuron, terms=tuple(terms)), "a mask"
        case _:
            return "", None
    neurons[k] = changed
    layers = list(program.layers)
    layers[at] = replace(layers[at], neurons=tuple(neurons))
    other = replace(program, layers=tuple(layers))
    try:
        ir.verify(other)
    except MlpressError:
        return "", None
    return f"layer {at}, neuron {k}: {how}", replace(design, program=other, built=None)


def found_by(mutation: Mutation, rows: int | None = None) -> tuple[bool, bool]:
    """Return whether plain ``mlpress verify`` finds it, and whether ``--formal`` does.

    Circuits of other ports cannot be compared at all: the command says so, proves nothing and ends with exit code 1.
    """
    from mlpress import verify
    from mlpress.verify import check_proofs

    different = any(result.verdict == "different" for result in verify(mutation.design, rows=rows))
    plain = different or any(
        proof.verdict == "refuted" for proof in check_proofs(mutation.design, timeout_s=None, different=different)
    )
    proofs = check_proofs(mutation.design, timeout_s=300.0, different=different)
    return plain, any(proof.verdict == "refuted" for proof in proofs) or (different and not proofs)
