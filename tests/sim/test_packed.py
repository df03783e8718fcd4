import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpress.errors import MlpressError
from mlpress.sim import Program, packed


def random_program(random: np.random.Generator, inputs: int, gates: int, delays: bool) -> Program:
    limits = np.arange(1 + inputs, 1 + inputs + gates)
    return Program(
        inputs,
        random.integers(0, packed.DELAY + delays, gates).astype(np.uint8),
        random.integers(0, limits).astype(np.int32),
        random.integers(0, limits).astype(np.int32),
    )


def naive(program: Program, bits: np.ndarray) -> list[list[int]]:
    """Every signal of every row, one bit at a time: rows of bits (inputs, rows) -> [row][signal]."""
    rows: list[list[int]] = []
    for row in range(bits.shape[1]):
        values = [0, *(int(bit) for bit in bits[:, row])]
        for operation, left, right in zip(
            program.operation.tolist(), program.left.tolist(), program.right.tolist(), strict=True
        ):
            if operation == packed.DELAY:
                values.append(rows[row - 1][left] if row else 0)
            else:
                values.append(operation >> (values[left] + 2 * values[right]) & 1)
        rows.append(values)
    return rows


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(0, 6), st.integers(0, 40), st.integers(1, 200), st.booleans())
def test_engine_equals_naive_evaluation(seed: int, inputs: int, gates: int, rows: int, delays: bool) -> None:
    random = np.random.default_rng(seed)
    program = random_program(random, inputs, gates, delays)
    bits = random.integers(0, 2, (inputs, rows)).astype(bool)
    expected = np.array(naive(program, bits), bool).reshape(rows, program.signals).T
    words = packed.pack(bits) if inputs else np.zeros((0, -(-rows // 64)), np.uint64)
    values = packed.unpack(packed.run(program, words, np.arange(program.signals)), rows)
    assert np.array_equal(values, expected)
    counted = packed.activity(program, words, rows)
    assert counted.ones.tolist() == expected.sum(axis=1).tolist()
    assert counted.toggles.tolist() == (expected[:, 1:] != expected[:, :-1]).sum(axis=1).tolist()


def test_blocks_of_rows_join_seamlessly() -> None:
    """So many signals that a block holds few words: delays and toggles must cross its borders."""
    random = np.random.default_rng(1)
    program = random_program(random, 4, 20_000, delays=True)
    bits = random.integers(0, 2, (4, 64 * 20 + 17)).astype(bool)
    words = packed.pack(bits)
    values = packed.unpack(packed.run(program, words, np.arange(program.signals)), bits.shape[1])
    counted = packed.activity(program, words, bits.shape[1])
    assert program.signals * words.shape[1] > 2 * packed._BLOCK
    assert counted.ones.tolist() == values.sum(axis=1).tolist()
    assert counted.toggles.tolist() == (values[:, 1:] != values[:, :-1]).sum(axis=1).tolist()
    for gate in np.flatnonzero(program.operation == packed.DELAY)[:50]:
        assert np.array_equal(values[5 + gate, 1:], values[program.left[gate], :-1])


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 200))
def test_feedback_equals_naive_evaluation(seed: int, gates: int, rows: int) -> None:
    random = np.random.default_rng(seed)
    plain = random_program(random, 3, gates, delays=True)
    anything = random.integers(0, plain.signals, gates).astype(np.int32)
    left = np.where(plain.operation == packed.DELAY, anything, plain.left).astype(np.int32)
    program = Program(3, plain.operation, left, plain.right)
    bits = random.integers(0, 2, (3, rows)).astype(bool)
    expected = np.array(naive(program, bits), bool).T
    values = packed.unpack(packed.run(program, packed.pack(bits), np.arange(program.signals)), rows)
    assert np.array_equal(values, expected)


@pytest.mark.parametrize("rows", [1, 63, 64, 65, 128, 1000])
def test_packing_is_lossless(rows: int) -> None:
    bits = np.random.default_rng(rows).integers(0, 2, (3, rows)).astype(bool)
    words = packed.pack(bits)
    assert words.shape == (3, -(-rows // 64)) and words.dtype == np.uint64
    assert np.array_equal(packed.unpack(words, rows), bits)
    assert int(words[0, 0]) & 1 == int(bits[0, 0])


def test_a_gate_cannot_read_a_later_signal() -> None:
    with pytest.raises(MlpressError, match="reads a later signal"):
        Program(1, np.array([8], np.uint8), np.array([2], np.int32), np.array([0], np.int32))


def test_unknown_operation_is_refused() -> None:
    with pytest.raises(MlpressError, match="unknown operation"):
        Program(1, np.array([17], np.uint8), np.array([1], np.int32), np.array([0], np.int32))


def test_rows_must_fit_the_program() -> None:
    program = Program(2, np.zeros(0, np.uint8), np.zeros(0, np.int32), np.zeros(0, np.int32))
    with pytest.raises(MlpressError, match=r"2 inputs; the packed rows have shape \(3, 1\)"):
        packed.run(program, np.zeros((3, 1), np.uint64), np.array([0]))
    with pytest.raises(MlpressError, match="hold 64 rows, not 65"):
        packed.activity(program, np.zeros((2, 1), np.uint64), 65)


def test_kernels_work_without_a_writable_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    import numba

    from mlpress.jit import compiled

    real = numba.njit

    def no_cache(kernel: object, **options: object) -> object:
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return real(kernel, **options)

    monkeypatch.setattr(numba, "njit", no_cache)
    assert compiled(lambda x: x + 1)(41) == 42
