import numpy as np
import pytest
from support.circuits import random_circuit
from support.nets import random_net

from mlpress.errors import MlpressError
from mlpress.ir import Circuit, Input, bit_blast, from_aiger, to_aiger

HALF_ADDER = Circuit(
    (Input("a", 1, 1.0, 0.0), Input("b", 1, 1.0, 0.0)),
    np.array([[2, 4], [3, 5], [7, 9]], np.int32),
    ((10, 6),),
    (0, 1, 2),
)


@pytest.mark.parametrize("form", ["binary", "ascii"])
@pytest.mark.parametrize("seed", range(30))
def test_round_trip(seed: int, form: str) -> None:
    rng = np.random.default_rng(seed)
    circuit = random_circuit(rng) if seed % 3 else bit_blast(random_net(rng))
    assert from_aiger(to_aiger(circuit, form)) == circuit  # type: ignore[arg-type]


def test_the_files_of_the_half_adder() -> None:
    text = b"aag 5 2 0 2 3\n2\n4\n10\n6\n6 4 2\n8 5 3\n10 9 7\n"
    assert to_aiger(HALF_ADDER, "ascii").startswith(
        text + b"i0 x0[0]\ni1 x1[0]\no0 y[0]\no1 y[1]\nc\nmlpress frame 1\n"
    )
    assert to_aiger(HALF_ADDER).startswith(b"aig 5 2 0 2 3\n10\n6\n\x02\x02\x03\x02\x01\x02i0 x0[0]\n")


def test_another_tools_file_takes_its_meaning_from_the_circuit_it_came_from() -> None:
    shuffled = b"aag 9 2 0 2 3\n6\n2\n10\n16\n10 13 17\n16 6 2\n12 7 3\nc\nmade elsewhere"
    assert from_aiger(shuffled, HALF_ADDER) == Circuit(
        HALF_ADDER.inputs, np.array([[2, 4], [3, 5], [7, 9]], np.int32), ((10, 6),), HALF_ADDER.classes
    )


ASCII = to_aiger(HALF_ADDER, "ascii")
BINARY = to_aiger(HALF_ADDER)
BAD: list[tuple[bytes, str]] = [
    (b"", "line 1: the AIGER file ends early"),
    (b"hello\n", "line 1: no AIGER file; it must start with 'aig' or 'aag'"),
    (b"aag 5 2 0 2\n", "line 1: the header has 4 numbers; there must be 5"),
    (b"aag 5 2 0 2 x\n", "line 1: b'5 2 0 2 x' stands where the header should be"),
    (b"aag 5 2 1 2 2\n", "line 1: the file has latches or properties; only combinational circuits can be read"),
    (b"aag 4 2 0 2 3\n", "line 1: 4 variables, 2 inputs, 2 outputs and 3 gates do not fit together"),
    (b"aag 9999999999 0 0 0 9999999999\n", "line 1: 9999999999 variables, .* or are more than a circuit may have"),
    (ASCII.replace(b"\n10\n6\n", b"\n10\n12\n"), "line 5: literal 12 is beyond the 5 variables of the header"),
    (ASCII.replace(b"6 4 2", b"6 4"), "line 6: 2 numbers stand where a gate should be"),
    (ASCII.replace(b"6 4 2", b"6 4 b"), "line 6: b'6 4 b' stands where a gate should be"),
    (ASCII.replace(b"6 4 2", b"7 4 2"), "line 6: literal 7 cannot be defined here"),
    (ASCII.replace(b"6 4 2", b"2 4 2"), "line 6: literal 2 cannot be defined here"),
    (ASCII.replace(b"8 5 3", b"6 5 3"), "line 7: literal 6 cannot be defined here"),
    (ASCII.replace(b"6 4 2", b"6 10 2"), "the AIGER file: the gate of variable [35] depends on itself"),
    (b"aag 5 2 0 1 2\n2\n4\n6\n6 4 8\n10 4 2\n", "the AIGER file: literal 8 is read but never defined"),
    (ASCII[: ASCII.index(b"8 5 3")], "line 7: the AIGER file ends early"),
    (ASCII.split(b"c\n")[0], "the AIGER file does not say what its bits stand for; give the circuit"),
    (ASCII.replace(b"widths 2", b"widths 3"), "the AIGER file has 2 inputs and 2 outputs; its circuit has 2 .* and 3"),
    (ASCII.replace(b"widths 2", b"widths x"), "the AIGER file's comment: line 4: 'x' stands where a width should be"),
    (ASCII.replace(b"classes 0 1 2", b"classes 0 1"), "output 0: 2 bits; the index of 2 classes has 1"),
    (BINARY[: BINARY.index(b"\x02\x02") + 3], "and 1: the AIGER file ends early or is damaged here"),
    (BINARY.replace(b"\x02\x02\x03", b"\x00\x02\x03"), "and 0: it reads literals 6 and 4; they must come before 6"),
    (BINARY.replace(b"\x02\x02\x03", b"\x02\x7f\x03"), "and 0: it reads literals 4 and -123"),
    (BINARY.replace(b"\x02\x02\x03", b"\xff\xff\xff\xff\xff\xff"), "and 0: the AIGER file ends early or is damaged"),
]


@pytest.mark.parametrize("data, error", BAD, ids=range(len(BAD)))
def test_a_damaged_file_gives_one_line(data: bytes, error: str) -> None:
    with pytest.raises(MlpressError, match=f"^{error}") as raised:
        from_aiger(data)
    assert "\n" not in str(raised.value)


def test_every_cut_and_every_changed_byte_is_read_or_refused() -> None:
    rng = np.random.default_rng(1)
    refused = 0
    for data in (ASCII, BINARY):
        for at in range(len(data)):
            damaged = bytearray(data)
            damaged[at] = int(rng.integers(256))
            for text in (data[:at], bytes(damaged)):
                try:
                    from_aiger(text)
                except MlpressError as error:
                    assert "\n" not in str(error)
                    refused += 1
    assert refused > len(ASCII)
