"""Bit-sliced C of circuits as they come: gates that nothing depends on too."""

import numpy as np
from support.circuits import random_circuit
from support.mcu_nets import Case, check_host

from mlpress.codegen import c
from mlpress.hw import mcu
from mlpress.ir import Circuit, encode, interpret_circuit


def test_dead_gates_are_left_out() -> None:
    machine, cases = mcu.read_core("cortex-m0plus"), []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        plain = random_circuit(rng)
        top = 1 + plain.input_bits + len(plain.ands)
        # an exclusive-or of the last signals, and a chain behind it, that no output reads
        dead = [[2 * (top - 1), 2 * (top - 2)], [2 * (top - 1) + 1, 2 * (top - 2) + 1], [2 * top + 1, 2 * top + 3]]
        dead.append([2 * (top + 2), 2 * (top - 3)])
        circuit = Circuit(
            plain.inputs,
            np.vstack([plain.ands.reshape(-1, 2), dead]).astype(np.int32),
            plain.outputs,
            plain.classes,
            plain.scores,
        )
        one, without = (c.generate(each, machine, c.COptions(f"n{seed}")) for each in (circuit, plain))
        assert one.files == without.files
        assert one.facts == without.facts
        codes = rng.integers(0, [1 << feature.bits for feature in circuit.inputs], (30, len(circuit.inputs)))
        features = rng.normal(0, 3, codes.shape).astype(np.float32)
        words = interpret_circuit(circuit, codes).words
        wanted = encode(circuit, features.astype(np.float64))
        classes = words[:, 0] if circuit.scores is None else None
        cases.append(Case(one, features, wanted, codes, classes, words))
    check_host(cases)
