"""NPZ files of anybody: data, vectors, the rows of a design.  Headers are judged before anything is unpacked."""

from __future__ import annotations

import io
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support.bounded import bounded

from mlpress import Dataset
from mlpress.design import _rows
from mlpress.errors import MlpressError
from mlpress.frontend.matching import match_columns
from mlpress.hw.printed import parse_netlist, read_vectors
from mlpress.npz import npz_bytes, read_npz_bytes

NETLIST = parse_netlist("module top (input [2:0] a, input [1:0] c, output y); assign y = a[0]; endmodule")
READERS: dict[str, Callable[[Path], object]] = {
    "data": Dataset.from_npz,
    "vectors": lambda path: read_vectors(path, NETLIST),
    "rows": lambda path: _rows(path, 2),
    "arrays": lambda path: read_npz_bytes(path.read_bytes()),
}
NAMES = {"data": ("X", "y"), "vectors": ("a", "c"), "rows": ("features", "labels"), "arrays": ("p", "q")}


def member(header: str, body: bytes = b"\0" * 64) -> bytes:
    text = header.encode("latin1")
    text += b" " * (64 - (len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + body


def said(shape: str, descr: str = "'<f8'", more: str = "") -> str:
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, {more}}}"


HEADERS = {
    "a shape that overflows": said("(4611686018427387904, 4)"),
    "one that overflows to zero": said("(4294967296, 4294967296, 2)"),
    "sizes beside a zero": said("(0, 99999999999999999999)"),
    "a negative size": said("(-1, 2)"),
    "bools": said("(True, 2)"),
    "a real size": said("(2.0, 2)"),
    "many axes": said("(" + "1, " * 60 + ")"),
    "an extra key": said("(4, 2)", more="'more': 1"),
    "a key that has no hash": "{[]: 1, 'descr': '<f8', 'fortran_order': False, 'shape': (4, 2)}",
    "a token that does not parse": "{'descr': '<f8', 'shape': (4, 2",
    "another token": '{\'descr\': $, """',
    "no dictionary": "[1, 2]",
    "deep": "(" * 4000,
    "a call": "__import__('os')",
    "items of no bytes": said("(10000000000, 2)", "'|V0'"),
    "text of no bytes": said("(10000000000, 2)", "'<U0'"),
    "an unknown type": said("(4, 2)", "'<q9'"),
    "text that is no Unicode": said("(4, 2)", "'<U2'"),
    "objects": said("(4, 2)", "'|O'"),
}


@pytest.mark.parametrize("reader", READERS)
def test_headers_that_cannot_be_true(reader: str, tmp_path: Path) -> None:
    for how, header in HEADERS.items():
        path = tmp_path / f"{how}.npz"
        with zipfile.ZipFile(path, "w") as archive:
            for name in NAMES[reader]:
                archive.writestr(f"{name}.npy", member(header, b"\xff" * 64))
        taken = bounded(lambda path=path: READERS[reader](path))
        assert taken.refusal, how
        assert "\n" not in taken.refusal
        assert taken.seconds < 2
        assert taken.mebibytes < 20, how


@pytest.mark.parametrize("reader", READERS)
def test_a_small_file_does_not_unpack_to_gibibytes(reader: str, tmp_path: Path) -> None:
    rows = 100_000_000
    packed = zlib.compressobj(1, zlib.DEFLATED, -15)
    zeros = bytes(1 << 20)
    sizes = member(said(f"({rows}, 2)"), b"")
    check, body, left = zlib.crc32(sizes), [packed.compress(sizes)], 16 * rows
    block = packed.compress(zeros) + packed.flush(zlib.Z_FULL_FLUSH)
    body.append(block)
    alone = zlib.compressobj(1, zlib.DEFLATED, -15)
    again = alone.compress(zeros) + alone.flush(zlib.Z_FULL_FLUSH)
    left -= 1 << 20
    body += [again] * (left >> 20)
    data = b"".join(body)
    path = tmp_path / "bomb.npz"
    for name in NAMES[reader]:
        info = zipfile.ZipInfo(f"{name}.npy")
        info.compress_type, info.CRC = zipfile.ZIP_DEFLATED, check
        info.compress_size, info.file_size = len(data), len(sizes) + 16 * rows
        info.header_offset = 0
        with path.open("wb") as file:
            file.write(info.FileHeader(zip64=False) + data)
            with zipfile.ZipFile(io.BytesIO(), "w") as archive:
                archive.filelist = [info]
                archive.NameToInfo = {info.filename: info}
                archive.fp, archive.start_dir, archive._didModify = file, file.tell(), True
    taken = bounded(lambda: READERS[reader](path))
    assert path.stat().st_size < 12 << 20
    assert taken.refusal
    assert taken.seconds < 2
    assert taken.mebibytes < 200


def test_other_members_and_raw_bytes(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "raw.npz", "w") as archive:
        archive.writestr("a", b"\xff raw")
        archive.writestr("c.npy", b"\xff raw")
        archive.writestr("features.npy", b"")
    for read in READERS.values():
        with pytest.raises(MlpressError) as caught:
            read(tmp_path / "raw.npz")
        assert "\n" not in str(caught.value)
    np.savez(tmp_path / "0d.npz", features=np.zeros((2, 2)), labels=np.array(1))
    with pytest.raises(MlpressError, match="with a label each"):
        _rows(tmp_path / "0d.npz", 2)
    np.savez(tmp_path / "b.npz", X=np.eye(2), y=np.array([b"\xff", b"a"]))
    with pytest.raises(MlpressError, match="no UTF-8 text"):
        Dataset.from_npz(tmp_path / "b.npz")
    np.savez(tmp_path / "c.npz", X=np.eye(2), y=np.array([1j, 2]))
    with pytest.raises(MlpressError, match="complex128, not numbers or text"):
        Dataset.from_npz(tmp_path / "c.npz")


def test_more_members_than_are_read() -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for k in range(5000):
            archive.writestr(f"{k}.npy", b"")
    with pytest.raises(MlpressError, match="not an NPZ file"):
        read_npz_bytes(data.getvalue())


def test_packed_arrays_are_read_back_however_well_they_pack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlpress.npz.FREE_BYTES", 1 << 16)
    few, many = ({"features": np.zeros((rows, 8))} for rows in (1 << 10, 1 << 12))
    assert len(npz_bytes(few, packed=True)) < 1 << 12
    assert len(npz_bytes(many, packed=True)) > 1 << 18
    assert read_npz_bytes(npz_bytes(many, packed=True))["features"].shape == (1 << 12, 8)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("++1 0\n", "line 1 names|'++1' is not an unsigned integer"),
        ("1 0\n++1 0\n", "'++1' is not an unsigned integer"),
        ("1 0\n\u0664 0\n", "is not an unsigned integer"),
    ],
)
def test_vectors_that_are_no_integers(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "v.csv").write_text(text)
    with pytest.raises(MlpressError, match=message.replace("+", r"\+")):
        read_vectors(tmp_path / "v.csv", NETLIST)


@pytest.mark.parametrize("value", [1 << 63, 1 << 64, 1 << 200])
def test_large_values_on_a_narrow_port_are_named(tmp_path: Path, value: int) -> None:
    from mlpress.hw.printed import PackedNetlist, load_technology

    (tmp_path / "v.csv").write_text(f"a,c\n{value},0\n")
    found = read_vectors(tmp_path / "v.csv", NETLIST)
    with pytest.raises(MlpressError, match=f"{value} does not fit the 3 bits"):
        PackedNetlist(NETLIST, load_technology("egfet")).activity(found.ports)


def test_many_columns_take_linear_time(tmp_path: Path) -> None:
    names = [f"column{k}" for k in range(100_000)]
    ports = ", ".join(f"input {name}" for name in names[:4_000])
    netlist = parse_netlist(f"module top ({ports}, output y); assign y = column0; endmodule")
    (tmp_path / "v.csv").write_text("\n".join([",".join(names[:4_000]), ",".join("0" * 4_000)]))
    (tmp_path / "d.csv").write_text("\n".join([",".join(names), ",".join("0" * 100_000), ",".join("1" * 100_000)]))
    (tmp_path / "t.csv").write_text("\n".join([",".join([*names[:-2], names[7], "label"]), ",".join("0" * 100_000)]))
    since = time.process_time()
    assert len(Dataset.from_csv(tmp_path / "d.csv").names) == 99_999
    with pytest.raises(MlpressError, match="two columns are called 'column7'"):
        Dataset.from_csv(tmp_path / "t.csv")
    assert match_columns(tuple(names), tuple(reversed(names))).by == "name"
    assert len(read_vectors(tmp_path / "v.csv", netlist).ports) == 4_000
    assert time.process_time() - since < 5
