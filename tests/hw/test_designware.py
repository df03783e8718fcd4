"""Models of DesignWare parts, for all inputs at small widths, against what the data sheets say in Python."""

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest

from mlpress.errors import MlpressError
from mlpress.hw.printed import PackedNetlist, load_technology, synthesise
from mlpress.sim import Rtl
from mlpress.yosys import read_gates
from mlpress.yosys.designware import PARTS, models_of

Columns = dict[str, np.ndarray]


def signed(value: int, width: int) -> int:
    return value - (value >> (width - 1) << width)


def satrnd(width: int, msb: int, lsb: int) -> Callable[..., tuple[int, int]]:
    kept = msb - lsb + 1

    def model(din: int, tc: int, sat: int, rnd: int) -> tuple[int, int]:
        value = signed(din, width) if tc else din
        value = (value + (1 << lsb - 1 if rnd and lsb else 0)) >> lsb
        low, high = (-(1 << kept - 1), (1 << kept - 1) - 1) if tc else (0, (1 << kept) - 1)
        over = not low <= value <= high
        shown = min(max(value, low), high) if over and sat else value
        return int(over), shown & (1 << kept) - 1

    return model


def cmp6(a: int, b: int, tc: int) -> tuple[int, ...]:
    a, b = (signed(a, 4), signed(b, 4)) if tc else (a, b)
    return tuple(map(int, (a < b, a > b, a == b, a <= b, a >= b, a != b)))


def cmp2(a: int, b: int, leq: int, tc: int) -> tuple[int, int]:
    a, b = (signed(a, 4), signed(b, 4)) if tc else (a, b)
    less = a <= b if leq else a < b
    return int(less), int(not less)


def mult(a: int, b: int, tc: int) -> tuple[int]:
    return ((signed(a, 4) * signed(b, 3) if tc else a * b) & 127,)


def addsub(a: int, b: int, ci: int, minus: int) -> tuple[int, int]:
    total = a - b - ci if minus else a + b + ci
    return total & 15, int(not 0 <= total < 16)


def total(word: int) -> tuple[int]:
    return (sum(word >> 3 * k & 7 for k in range(4)) & 7,)


FOUR = {"A": 4, "B": 4}
CASES = [
    *(
        (
            "DW01_satrnd",
            parameters,
            {"din": parameters[0], "tc": 1, "sat": 1, "rnd": 1},
            {"ov": 1, "dout": parameters[1] - parameters[2] + 1},
            satrnd(*parameters),
        )
        for parameters in ((6, 3, 1), (6, 5, 2), (6, 4, 0), (6, 5, 0), (7, 3, 3), (5, 4, 4))
    ),
    ("DW01_add", (4,), FOUR | {"CI": 1}, {"SUM": 4, "CO": 1}, lambda a, b, ci: ((a + b + ci) & 15, a + b + ci >> 4)),
    (
        "DW01_sub",
        (4,),
        FOUR | {"CI": 1},
        {"DIFF": 4, "CO": 1},
        lambda a, b, ci: ((a - b - ci) & 15, int(a - b - ci < 0)),
    ),
    ("DW01_addsub", (4,), FOUR | {"CI": 1, "ADD_SUB": 1}, {"SUM": 4, "CO": 1}, addsub),
    ("DW01_inc", (4,), {"A": 4}, {"SUM": 4}, lambda a: ((a + 1) & 15,)),
    ("DW01_dec", (4,), {"A": 4}, {"SUM": 4}, lambda a: ((a - 1) & 15,)),
    ("DW01_cmp2", (4,), FOUR | {"LEQ": 1, "TC": 1}, {"LT_LE": 1, "GE_GT": 1}, cmp2),
    ("DW01_cmp6", (4,), FOUR | {"TC": 1}, dict.fromkeys(("LT", "GT", "EQ", "LE", "GE", "NE"), 1), cmp6),
    ("DW01_absval", (5,), {"A": 5}, {"ABSVAL": 5}, lambda a: (abs(signed(a, 5)),)),
    ("DW02_mult", (4, 3), {"A": 4, "B": 3, "TC": 1}, {"PRODUCT": 7}, mult),
    ("DW02_sum", (4, 3), {"INPUT": 12}, {"SUM": 3}, total),
]


@pytest.mark.parametrize(("part", "parameters", "inputs", "outputs", "model"), CASES)
def test_every_input_of_every_part(
    part: str,
    parameters: tuple[int, ...],
    inputs: dict[str, int],
    outputs: dict[str, int],
    model: Callable[..., tuple[int, ...]],
) -> None:
    ports = [f"input [{w - 1}:0] {n}" for n, w in inputs.items()] + [
        f"output [{w - 1}:0] {n}" for n, w in outputs.items()
    ]
    names = ", ".join([*inputs, *outputs])  # by position: the order of ports is the vendor's
    text = f"module top({', '.join(ports)}); {part} #({', '.join(map(str, parameters))}) u ({names}); endmodule"
    rows = list(product(*(range(1 << width) for width in inputs.values())))
    columns = dict(zip(inputs, np.array(rows).T, strict=True))
    found = Rtl(text).run(columns)
    expected = np.array([model(*row) for row in rows]).T
    for name, column in zip(outputs, expected, strict=True):
        np.testing.assert_array_equal(found[name], column, err_msg=f"{part} {name}")


def test_every_part_is_tested() -> None:
    assert {case[0] for case in CASES} == set(PARTS)
    assert set(models_of(PARTS)) == {f"{part}.v" for part in PARTS}


USER = """module top(input [5:0] x, output [2:0] y);
  DW01_satrnd #(6, 3, 1) u (.din(x), .tc(1'b0), .rnd(1'b0), .ov(), .sat(1'b1), .dout(y)); // not DW01_add here
endmodule"""


def test_a_part_is_said_to_be_mlpresss_own_model() -> None:
    found = synthesise(USER, "top", load_technology("egfet"), effort="fast")
    (note,) = found.notes
    assert note.startswith("DW01_satrnd is in none of the files: mlpress's own model")
    x = np.arange(64)
    cells = load_technology("egfet")
    np.testing.assert_array_equal(PackedNetlist(found.netlist, cells).run({"x": x})["y"], np.minimum(x // 2, 7))


def test_a_users_own_part_is_taken() -> None:
    own = f"{USER}\nmodule DW01_satrnd #(parameter a=1, b=1, c=1) (din, tc, sat, rnd, ov, dout);\n"
    own += (
        "input [5:0] din; input tc, sat, rnd; output ov; output [2:0] dout; assign dout = 5; assign ov = 0; endmodule"
    )
    gates = read_gates({"own.v": own})
    assert gates.notes == ()
    assert Rtl(own).run({"x": np.arange(64)})["y"].tolist() == [5] * 64


def test_a_part_without_a_model_is_still_missing() -> None:
    text = "module top(input [3:0] x, output [3:0] y); DW_sqrt #(4) u (.a(x), .root(y)); endmodule"
    with pytest.raises(MlpressError, match=r"DW_sqrt.* is not part of the design; add the file that has it"):
        read_gates({"top.v": text})
