import numpy as np
import pytest

from mlpress.errors import MlpressError
from mlpress.hw.printed import parse_netlist, read_vectors

NETLIST = parse_netlist("module top (input [2:0] a, input b, input [1:0] c, output y); assign y = b; endmodule")
WIDE = parse_netlist("module top (input [83:0] inp, output y); assign y = inp[0]; endmodule")


def read(tmp_path, text: str | bytes, netlist=NETLIST) -> dict[str, list[int]]:
    path = tmp_path / "rows.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return {name: [int(value) for value in column] for name, column in read_vectors(path, netlist).ports.items()}


ROWS = {"a": [5, 2], "b": [1, 0], "c": [3, 0]}


@pytest.mark.parametrize(
    "text",
    [
        "5,1,3\n2,0,0\n",
        "5 1 3\n2 0 0",
        "# made by hand\na,b,c\n5,1,3   # the first\n\n2,0,0\n",
        "c\tb\ta\r\n3\t1\t5\r\n0\t0\t2\r\n",
        "\ufeffa;b;c\n5;1;3\n2;0;0\n",
        "101111\n010000\n",
        "1 0 1 1 1 1\n0,1,0,0,0,0\n",
    ],
)
def test_text_in_its_forms(tmp_path, text: str) -> None:
    assert read(tmp_path, text) == ROWS


def test_some_columns_by_name(tmp_path) -> None:
    assert read(tmp_path, "b\n1\n0\n") == {"b": [1, 0]}


def test_wide_buses_are_one_integer(tmp_path) -> None:
    value = (1 << 83) + 5
    assert read(tmp_path, f"{value}\n7\n", WIDE) == {"inp": [value, 7]}
    assert read(tmp_path, f"{value:084b}\n{7:084b}\n", WIDE) == {"inp": [value, 7]}


def test_npz(tmp_path) -> None:
    path = tmp_path / "rows.npz"
    np.savez(path, a=np.array([5, 2]), b=np.array([1, 0]), c=np.array([3, 0]))
    assert {name: column.tolist() for name, column in read_vectors(path, NETLIST).ports.items()} == ROWS
    np.savez(path, vectors=np.array([[5, 1, 3], [2, 0, 0]]))
    assert {name: column.tolist() for name, column in read_vectors(path, NETLIST).ports.items()} == ROWS
    np.savez(path, vectors=np.zeros((2, 4), int))
    with pytest.raises(MlpressError, match=r"'vectors' has shape \(2, 4\); the netlist has 3 inputs"):
        read_vectors(path, NETLIST)
    np.savez(path, a=np.array([{}], object))
    with pytest.raises(MlpressError, match="array 'a' holds Python objects"):
        read_vectors(path, NETLIST)
    path.write_bytes(b"PK\x03\x04 not a zip")
    with pytest.raises(MlpressError, match="not an NPZ file, or a damaged one"):
        read_vectors(path, NETLIST)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no row"),
        ("a,b,c\n", "there is no row after the header"),
        ("a,b,x\n1,1,1\n", "line 1 names 'x', which is no input; inputs are a, b, c"),
        ("a,a\n1,1\n", "line 1 names an input twice"),
        ("1,2\n", r"2 columns for 3 inputs \(6 bits\); name the columns"),
        ("5,1,3\n5,1\n", "line 2 has 2 columns where 3 should be"),
        ("a,b,c\n5,1,3\n5,1\n", "line 3 has 2 columns where 3 should be"),
        ("5,1,3\n5,1,x\n", "line 2: 'x' is not an unsigned integer"),
        ("5,1,3\n5,1,-3\n", "line 2: '-3' is not an unsigned integer"),
        ("101111\n102111\n", "line 2 is not 6 bits of 0 and 1"),
        (b"\xff\xfe1\x00", "not UTF-8 text"),
    ],
)
def test_what_is_no_vector_file_is_refused(tmp_path, text: str | bytes, message: str) -> None:
    with pytest.raises(MlpressError, match=message) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value) and "rows.csv: " in str(caught.value)


def test_absent_file(tmp_path) -> None:
    with pytest.raises(MlpressError, match=r"cannot read .*absent.csv: No such file"):
        read_vectors(tmp_path / "absent.csv", NETLIST)
