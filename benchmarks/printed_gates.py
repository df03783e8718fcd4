"""Both levels as ``mlpress search`` has them: a search of networks, evolution of circuits, one front of both.

``gates`` evolves the networks' circuits: the exact one's, searched ones', a wider one's.  ``trees`` evolves decision
trees as well.
"""

import numpy as np
from printed_integer import Found, Spent
from support import OWN, TOPOLOGIES

from mlpress import Dataset, approx, codegen, ir
from mlpress.approx import gates
from mlpress.frontend import Quantised
from mlpress.frontend.quantisation import Report
from mlpress.hw import printed
from mlpress.pipeline import search as searching
from mlpress.pipeline.compile import Options
from mlpress.pipeline.preparation import Prepared
from mlpress.pipeline.result import SearchResult
from mlpress.pipeline.settings import RunOptions, Settings

SETS = TOPOLOGIES | OWN

MOST_CM2 = {
    "breast_cancer": (0.009,),
    "cardio": (0.037, 0.06, 0.08, 0.12),
    "pendigits": (0.5, 1.0, 1.2),
    "whitewine": (0.02, 0.035, 0.12, 0.38),
    "vertebral": (0.1,),
    "balance": (0.15, 0.5, 2.0),
    "wine": (0.03, 0.1),
    "digits": (0.4, 1.5, 4.0),
}
"""What designs may cost: the most accurate one within each is chosen."""


def from_networks(
    train: Dataset, name: str, seed: int, budget: Spent, technology: printed.Technology, effort: str
) -> list[Found]:
    """The most accurate design within each area, evolved from networks."""
    found = searched(network(train, name, seed), train, name, seed, budget, trees=False)
    return within_areas(found, name, technology, effort)


def from_trees(
    train: Dataset, name: str, seed: int, budget: Spent, technology: printed.Technology, effort: str
) -> list[Found]:
    """The most accurate design within each area, evolved from networks and trees."""
    found = searched(network(train, name, seed), train, name, seed, budget, trees=True)
    return within_areas(found, name, technology, effort)


def network(train: Dataset, name: str, seed: int) -> ir.Net:
    """The network that a search starts from: of the set's topology, trained on all training rows."""
    hidden = SETS[name][1:-1]
    inputs = tuple(ir.Input(feature, 4, 1.0, 0.0) for feature in train.names)
    shape = approx.dense(inputs, hidden, train.classes)
    codes, labels = train.features.astype(np.int64), train.labels.astype(np.int64)
    return approx.train(codes, labels, shape, approx.Training(hidden, seed=seed))


def as_model(net: ir.Net) -> ir.Model:
    """The real model that decides as ``net`` does: its ReLUs round down, which here is half a step less, rounded."""
    layers, unit = [], np.ones(len(net.inputs))
    for layer in net.layers:
        first = layer.neurons[0].activation
        weight = approx.weights_of(layer, len(unit)) / unit
        bias = np.array([float(neuron.bias) for neuron in layer.neurons])
        quantiser = None
        if isinstance(first, ir.QRelu):
            assert all(neuron.activation == first for neuron in layer.neurons)
            step = 1 << first.shift
            quantiser = ir.Quantiser(float(step), 0, 0, (1 << first.bits) - 1)
            bias -= (step - 1) / 2
            unit = np.full(len(layer.neurons), float(step))
        layers.append(ir.Dense(weight, bias, ir.Linear(), quantiser=quantiser))
    scale, offset = np.ones(len(net.inputs)), np.zeros(len(net.inputs))
    names = tuple(feature.name for feature in net.inputs)
    return ir.Model(names, scale, offset, tuple(layers), ir.ArgmaxHead(), net.classes)


def searched(
    net: ir.Net, train: Dataset, name: str, seed: int, budget: Spent, *, trees: bool, effort: str = "default"
) -> SearchResult:
    """What ``mlpress search`` finds from ``net``, no larger than the largest area of the set."""
    share = float(np.mean(ir.interpret(net, train.features.astype(np.int64)).decision == train.labels))
    report = Report("accuracy", share, share, 1.0, (), len(train), True)
    prepared = Prepared(as_model(net), Quantised(net, report), train, None, {}, (), ())
    settings = Settings(start_tree=trees, limits=approx.Limits(most={"area": max(MOST_CM2[name])}), seed=seed)
    return searching.search_prepared(
        prepared,
        approx.Budget(budget.seconds, budget.generations),
        Options.of(effort=effort),
        settings,
        rounds=budget.rounds,
        run=RunOptions(workers=budget.workers),
    )


def within_areas(found: SearchResult, name: str, technology: printed.Technology, effort: str) -> list[Found]:
    """The design that ranks highest within each area that the set's designs may cost, chosen on rows held out."""
    designs = [chosen(found, most, technology, effort) for most in MOST_CM2[name]]
    return [design for design in designs if design is not None]


def chosen(found: SearchResult, most: float, technology: printed.Technology, effort: str) -> Found | None:
    """Of the designs that are within ``most`` cm2 once synthesised, the one that ranks highest."""
    assert found.integer is not None and isinstance(found.front, gates.CircuitFront)  # both levels were searched
    for design in found.within({"area": most}):
        source, program = design.source, found.program(design)
        if isinstance(program, ir.Circuit):
            circuit, own, start = (
                program,
                printed.parse_netlist(source.hint, "top"),
                f"{source.start}, {source.augmentation}",
            )
            text = codegen.to_verilog(circuit)
        else:
            circuit, own, start = ir.bit_blast(program), None, "integer level"
            text = codegen.to_verilog(ir.lower_net(program))
        synthesis = printed.synthesise(text, "top", technology, effort=effort, own=own)
        if synthesis.area_um2 * 1e-8 <= most:
            spent = found.integer.generations, found.front.rounds
            return Found(most, synthesis.netlist, text, circuit, start, design.validation_accuracy, *spent)
    return None
