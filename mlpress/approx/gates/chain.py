"""One chain: a netlist is loaded into arrays, annealed by compiled visits, and read back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlpress.approx.gates.cells import NOT, GateCosts
from mlpress.approx.gates.edits import load
from mlpress.approx.gates.genome import FIRST_INPUT, Genome
from mlpress.approx.gates.moves import NEAR, visit_polarity, visit_signal
from mlpress.approx.gates.rows import PackedRows
from mlpress.approx.gates.state import CHOICE, FREE, LIVE, NODE, Ints, Scratch, State
from mlpress.jit import compiled


def new_scratch(words: int, draws: int) -> Scratch:
    """Return working arrays of :func:`anneal` for ``words`` words of rows and ``draws`` drawn signals per visit."""
    most = NEAR + draws
    return Scratch(
        candidates=np.zeros(most, np.int64),
        planes=np.zeros((most + 1, words), np.uint64),
        scores=np.zeros(most, np.int64),
        choice=np.zeros(1, CHOICE),
    )


@compiled
def anneal(s: State, visits: int, price: float, hot: float, cold: float, draws: Ints, scratch: Scratch) -> None:
    """Make ``visits`` visits at temperatures (um2) that fall from ``hot`` to ``cold`` geometrically.

    ``price`` is the um2 that one row is traded for; ``draws`` int64 (3,): signals, pairs, and nested pairs per visit.
    """
    for k in range(visits):
        temperature = hot * (cold / hot) ** (k / visits)
        visit_signal(s, price, temperature, draws, scratch)
        visit_polarity(s, temperature)


def new_state(
    genome: Genome,
    rows: PackedRows,
    costs: GateCosts,
    seed: int,
    power: float = 0.0,
    inputs: NDArray[np.int64] | None = None,
) -> State:
    """Return the state of a chain that starts from ``genome``, judged on ``rows``.

    Costs are in steps, nW where they are powers by states; ``power`` is the weight of static power, steps per nW;
    ``inputs`` int64 (input bits,) is the cost of each input bit while it is read (default: none).  There is room to
    double the number of gates.
    """
    first, bits, words = genome.first_gate, len(genome.outputs), rows.words
    slots = first + 2 * len(genome) + 64
    nodes = np.zeros(slots, NODE)
    nodes["first_pin"] = nodes["place"] = -1
    if inputs is not None:
        nodes["cost"][FIRST_INPUT:first] = inputs
    value = np.zeros((slots, words), np.uint64)
    value[1] = rows.valid
    value[FIRST_INPUT:first] = rows.inputs

    def list_of(size: int) -> NDArray[np.int64]:
        return np.full(size, -1, np.int64)

    state = State(
        nodes=nodes,
        links=np.full((2 * slots + bits, 2), -1, np.int64),
        outputs=list_of(bits),
        value=value,
        flipped=np.zeros((slots + 1, words), np.uint64),
        labels=rows.labels,
        valid=rows.valid,
        right=np.zeros(words, np.uint64),
        row_gain=np.zeros((2, words), np.uint64),
        care=list_of(words),
        live=list_of(slots),
        free=np.arange(slots - 1, first - 1, -1, dtype=np.int64),
        dirty=list_of(slots),
        stack=list_of(4 * slots),
        queues=list_of(slots + 1),
        area=np.zeros_like(costs.area) if costs.by_states() else costs.area.copy(),
        watts=(power + costs.by_states()) * costs.static_nw,
        seed=np.array([seed], np.uint64),
        counts=np.zeros(8, np.int64),
        first_gate=first,
        rows=rows.rows,
    )
    state.counts[FREE] = slots - first
    load(state, *(array.astype(np.int64) for array in (genome.table, genome.operands, genome.outputs)))
    return state


def genome_of(state: State) -> Genome:
    """Return the netlist of a state, in an order that follows from its structure alone."""
    first = state.first_gate
    live = state.live[: state.counts[LIVE]]
    nodes = state.nodes[live]
    order = live[np.lexsort((live, nodes["level"]))]
    renumbered = np.arange(len(state.nodes), dtype=np.int64)
    renumbered[order] = first + np.arange(len(order))
    nodes = state.nodes[order]
    operands = np.stack([nodes["a"], nodes["b"]], axis=1)
    assert np.all(operands[nodes["table"] == NOT, 0] == operands[nodes["table"] == NOT, 1])
    return Genome(
        first - FIRST_INPUT,
        nodes["table"].astype(np.uint8),
        renumbered[operands].astype(np.int32).reshape(-1, 2),
        renumbered[state.outputs].astype(np.int32),
    )
