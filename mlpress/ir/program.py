"""Functions of any program that is shipped, net, circuit or field: run it, lower it, describe it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.ir.bit_blast import bit_blast, circuit_bits
from mlpress.ir.bits import Lowered, lower_net
from mlpress.ir.circuit import Circuit
from mlpress.ir.field import Encode, Field, Network
from mlpress.ir.gates import Bits
from mlpress.ir.interpret import Trace, encode, interpret, score_values
from mlpress.ir.interpret_circuit import CircuitTrace, interpret_circuit
from mlpress.ir.interpret_field import check_samples, interpret_field
from mlpress.ir.interval import intervals, output_bits, signed_bits
from mlpress.ir.level_sums import unary_circuit
from mlpress.ir.model import Ints
from mlpress.ir.net import Ladder, Net
from mlpress.ir.unary import unary

Program = Net | Circuit
"""A program of integers.

Both have ``inputs``, ``classes``, ``scores`` (what a regression's integers stand for), output ``ports``, a ``level``.
"""


Shipped = Program | Field
"""A program that a target builds.

All have ``inputs``, ``classes``, output ``ports`` and a ``level``.
"""


def engine_rows(program: Shipped, features: NDArray[Any]) -> NDArray[Any]:
    """Return what engines take for ``features``: input codes, int64 (rows, inputs), or float32 samples of a field."""
    return check_samples(program, features) if isinstance(program, Field) else encode(program, features)


def check_program(program: Any, who: str) -> None:
    """Raise :class:`MlpressError` where ``program`` is not one of integers; ``who`` wants one: ``target egfet``."""
    if not isinstance(program, Net | Circuit):
        raise MlpressError(f"{who} takes an integer network or a circuit; quantise the model first")


def run(program: Program, codes: NDArray[Any]) -> Trace | CircuitTrace:
    """Run ``program`` on input ``codes`` (rows, inputs) in its reference interpreter.

    Every run has ``words``, the values of the output ports as int64 (rows, ports), and a ``decision``, the class index
    as int64 (rows,), which is ``None`` for a regression.
    """
    match program:
        case Net():
            return interpret(program, codes)
        case Circuit():
            return interpret_circuit(program, codes)


def answers(program: Shipped, codes: NDArray[Any]) -> NDArray[Any]:
    """Return the class index of each row of ``codes``, int64 (rows,); of a regression its float64 (rows, scores).

    Of a field they are its values, float32 (rows, outputs), for samples.
    """
    if isinstance(program, Field):
        return interpret_field(program, codes)
    found = run(program, codes)
    return score_values(program, found.words) if found.decision is None else found.decision


def answers_of(program: Shipped, words: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """Return what :func:`answers` does, from the values (rows,) of the output ports by name."""
    if isinstance(program, Field):
        return np.stack([np.asarray(words[port]) for port in program.ports], axis=1)
    if program.scores is None:
        return np.asarray(words["y"])
    return score_values(program, np.stack([np.asarray(words[port]) for port in program.ports], axis=1))


def predict(program: Shipped, codes: NDArray[Any]) -> NDArray[Any]:
    """Return the class of each row of ``codes`` by name, (rows,); else what :func:`answers` does.

    A circuit may answer a number that is no class: the row then has ``""`` where classes are texts, and where they are
    integers one less than the smallest.
    """
    found = answers(program, codes)
    if isinstance(program, Field) or program.scores is not None:
        return found
    names = np.asarray(program.classes)
    nothing = np.asarray(["" if names.dtype.kind == "U" else names.min() - 1], names.dtype)
    named: NDArray[Any] = np.concatenate([names, nothing])[np.minimum(found, len(names))]
    return named


def named_values(program: Shipped, codes: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Run ``program``; return its values (rows,) by name: ``output y``, and a net's sums and neurons as well."""
    if isinstance(program, Field):
        values = interpret_field(program, codes)
        return {f"output {port}": values[:, k] for k, port in enumerate(program.ports)}
    found = run(program, codes)
    named = neuron_values(found.sums, found.layers) if isinstance(found, Trace) else {}
    return named | {f"output {port}": found.words[:, k] for k, port in enumerate(program.ports)}


def neuron_values(sums: list[Ints], layers: list[Ints]) -> dict[str, Ints]:
    """Return the values (rows,) of every neuron by name, from those of each layer, (rows, neurons)."""
    named = {}
    for k, (before, after) in enumerate(zip(sums, layers, strict=True)):
        for j in range(before.shape[1]):
            named[f"layer {k}, neuron {j}, sum"] = before[:, j]
            named[f"layer {k}, neuron {j}"] = after[:, j]
    return named


def to_circuit(program: Program) -> Circuit:
    """Return a circuit of the same function: the program itself, or the exact lowering of a net."""
    return bit_blast(program) if isinstance(program, Net) else program


def to_hardware(program: Program) -> Lowered | Circuit:
    """Return what hardware is described from: a net with its plan and bits, or the circuit itself."""
    return lower_net(program) if isinstance(program, Net) else program


def to_unary(program: Program) -> Circuit:
    """Return a circuit of the same function with unary inputs: of a net the smaller one of two lowerings."""
    return unary_circuit(program) if isinstance(program, Net) else unary(program)


def program_of(hardware: Lowered | Circuit) -> Program:
    """Return the program that :func:`to_hardware` made ``hardware`` of."""
    return hardware.net if isinstance(hardware, Lowered) else hardware


def bits_of(hardware: Lowered | Circuit) -> Bits:
    """Return the bit program of a lowered net or of a circuit."""
    return hardware.bits if isinstance(hardware, Lowered) else circuit_bits(hardware)


def row_micros(program: Shipped) -> float:
    """Estimate the processor time per row, in microseconds, that interpreter and oracle graph take together.

    Measured on one core: the interpreter takes 15 us per row of a net and .115 us per term; of a circuit, .004 us per
    and-gate, and onnxruntime .0003 us for each and-gate at each level (its graph carries all signals along).  Both
    together take .004 us per product of a field, and .15 us per corner of a level.
    """
    match program:
        case Net():
            neurons = [neuron for layer in program.layers for neuron in layer.neurons]
            ladders = [neuron.activation for neuron in neurons if isinstance(neuron.activation, Ladder)]
            return 15.0 + 0.115 * (program.terms + sum(len(ladder.thresholds) for ladder in ladders))
        case Circuit():
            return 4.0 + 0.004 * len(program.ands) + 0.0003 * len(program.ands) * program.depth()
        case Field():
            corners = sum(len(grid.levels) << grid.dimensions for grid in program.grids())
            return 1.0 + 0.004 * _weights(program) + 0.15 * corners


def structure(program: Shipped) -> dict[str, Any]:
    """Return what the program is made of, as plain JSON values: what ``docs/ir.md`` calls layers, terms and gates."""
    match program:
        case Net():
            return _net_structure(program)
        case Circuit():
            return {
                "inputs": len(program.inputs),
                "input_bits": program.input_bits,
                "classes": list(program.classes),
                "and_gates": len(program.ands),
                "depth": program.depth(),
            }
        case Field():
            return _field_structure(program)


def _net_structure(net: Net) -> dict[str, Any]:
    layers = []
    for layer, found in zip(net.layers, intervals(net), strict=True):
        outputs = [output_bits(neuron.activation) for neuron in layer.neurons]
        layers.append(
            {
                "neurons": len(layer.neurons),
                "terms": sum(len(neuron.terms) for neuron in layer.neurons),
                "sum_bits": [signed_bits(*interval) for interval in found.sums],
                "output_bits": [bits for bits in outputs if bits is not None],
            }
        )
    return {
        "topology": "-".join(str(n) for n in (len(net.inputs), *(layer["neurons"] for layer in layers))),
        "classes": list(net.classes),
        "terms": net.terms,
        "layers": layers,
    }


def _weights(field: Field) -> int:
    return sum(layer.weight.size for node in field.nodes if isinstance(node, Network) for layer in node.layers)


def _field_structure(field: Field) -> dict[str, Any]:
    networks = [node.layers for node in field.nodes if isinstance(node, Network)]
    encodings = [node.encoding for node in field.nodes if isinstance(node, Encode)]
    return {
        "inputs": list(field.inputs),
        "outputs": list(field.outputs),
        "precision": field.precision,
        "encodings": [type(encoding).__name__.lower() for encoding in encodings],
        "networks": [
            "-".join(str(n) for n in (layers[0].weight.shape[1], *(len(layer.weight) for layer in layers)))
            for layers in networks
        ],
        "levels": [len(grid.levels) for grid in field.grids()],
        "table_values": sum(level.table.size for grid in field.grids() for level in grid.levels),
        "weights": _weights(field),
    }
