"""The circuits that a gate-level search starts from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from mlpress import ir

if TYPE_CHECKING:
    from mlpress.approx import IntegerFront, gates

TREE_LEAVES = (16, 64, 256)
"""The trees that an evolution may start from."""

MOST_BITS = 3_000
"""No circuit is evolved from a network whose products have more bits: one move takes too long."""

HURRIED_BITS = 1_000
""":data:`MOST_BITS` of a search that has little time."""


def trained_anew(net: ir.Net, inputs: tuple[ir.Input, ...] = ()) -> gates.Trained:
    """Return a start that trains networks of the shape of ``net``; their circuits receive codes as ``inputs`` do."""
    from mlpress.approx import gates

    hidden = tuple(len(layer.neurons) for layer in net.layers[:-1])
    return gates.Trained(net, hidden, interface=(inputs or net.inputs)[0].interface)


def exact_circuit(net: ir.Net, inputs: tuple[ir.Input, ...]) -> ir.Circuit:
    """Return the net's exact circuit, receiving codes as ``inputs`` do."""
    return ir.to_unary(net) if any(feature.interface == "unary" for feature in inputs) else ir.to_circuit(net)


def starts(
    net: ir.Net,
    integer: IntegerFront | None,
    *,
    trees: bool,
    few: bool = False,
    poor: bool = False,
    inputs: tuple[ir.Input, ...] = (),
    note: Callable[[str], None] = lambda _: None,
) -> list[gates.Start]:
    """Return the starts of an evolution: the exact net, trees, up to three integer-level designs, a wider net.

    The best starts for small circuits come early, so that a short run meets them.  ``few`` is for a run that has no
    time for all: one searched design, two trees, no wider net, and each training is done once; where searched
    networks are evolved before it, a tree comes first.

    ``poor`` says that networks of this shape trained anew are far better: one of them is the start then, in all
    archives.  Else those of the folds, which start from new networks, would state an accuracy that no design has.

    Circuits are left out where they would be too large (:data:`MOST_BITS`), and ``note`` hears of it; where nothing
    else is left, there are trees in any case.  All receive codes as ``inputs`` do (default: those of the net).
    """
    from mlpress.approx import gates

    inputs = inputs or net.inputs
    anew = replace(trained_anew(net, inputs), tries=1) if few else trained_anew(net, inputs)
    most = HURRIED_BITS if few else MOST_BITS
    small = net.product_bits <= most
    stand_in = gates.Tree(inputs, net.classes, TREE_LEAVES[-1])
    found: list[gates.Start] = []
    if small:
        found = [anew if poor else gates.FixedStart("the exact network", exact_circuit(net, inputs), anew)]
    fitted = [gates.Tree(inputs, net.classes, leaves) for leaves in TREE_LEAVES[: 2 if few else None]]
    if trees:
        found.insert(0 if few and integer is not None else len(found), fitted[0])
    if integer is not None:
        nets = [(k, integer.net(design)) for k, design in enumerate(integer.designs)]
        like = [(k, each) for k, each in nets if each.inputs == net.inputs and each.product_bits <= most]
        quarters = (2,) if few else (1, 2, 3)
        for i in sorted({len(like) * k // 4 for k in quarters}) if like else []:  # no pruned converters
            k, searched = like[i]
            found.append(
                gates.FixedStart(f"searched design {k}", exact_circuit(searched, inputs), anew if small else stand_in)
            )
    if small and not few:
        found.append(replace(trained_anew(net, inputs), hidden=tuple(2 * neurons for neurons in anew.hidden)))
    found += fitted[1:] if trees else [] if found else fitted
    if not small:
        note(
            f"the network's products have {net.product_bits} bits: too many to evolve its circuit gate by gate, which "
            f"starts from {', '.join(start.name for start in found)}"
        )
    return found
