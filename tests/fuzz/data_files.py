"""Rows of data and of vectors: CSV text, and NPZ files with headers of anybody."""

from __future__ import annotations

import functools
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
from fuzz.kind import Kind
from fuzz.text import NUMBERS, mutate_bytes, mutate_text

from mlpress.frontend import Dataset
from mlpress.hw.printed import Netlist, parse_netlist, read_vectors
from mlpress.npz import npz_bytes

CSV = (
    b"a,b,c,label\n1,2,3,x\n4,5,6,y\n7,8,9,x\n",
    b"1;2;0\n3;4;1\n5.5;-6e3;0\n",
    b"\xef\xbb\xbfa\tb\n0\t1\n1\t0\n",
    b"x,y\n5,1\n2,0\n",
    b"inp[1:0] inp[3:2] y\n1 2 1\n",
    b"101111\n010000\n",
)
SHAPES = ("(3, 2)", "(3,)", "()", "(0, 2)", "(True, 2)", "(-1, 2)", "(4294967296, 4294967296)", "(2.0, 2)", "(3, 2, 1)")
TYPES = (
    "'<f8'",
    "'<i8'",
    "'|O'",
    "'<U1'",
    "'|S1'",
    "'|V0'",
    "'<U0'",
    "'<c16'",
    "'|b1'",
    "'<M8[s]'",
    "'>U1'",
    "[('a', '<i4')]",
)
KEYS = ("", "'more': 1, ", "[]: 2, ", "'shape': 3, ", "'descr': ')", "((((", "\x00", "'é': 1")


@functools.cache
def netlist() -> Netlist:
    return parse_netlist("module top (input [4:0] x, input y, output z); assign z = x[0]; endmodule")


@functools.cache
def npz_seeds() -> Sequence[bytes]:
    table = np.arange(6.0).reshape(3, 2)
    return (
        npz_bytes({"X": table, "y": np.array([0, 1, 0])}),
        npz_bytes(
            {"features": table.astype(np.float32), "labels": np.array(["a", "b", "a"]), "names": np.array(["p", "q"])}
        ),
        npz_bytes({"X": table, "y": np.array([b"a", b"b", b"a"])}, packed=True),
        npz_bytes({"x": np.array([3, 1]), "y": np.array([0, 1])}),
        npz_bytes({"vectors": np.array([[3, 1], [2, 0]])}),
    )


def mutate_npz(rng: Random, data: bytes, other: bytes) -> bytes:
    """Change an array's header, its body, its member's name or packing, or bytes of the file."""
    if rng.random() < 0.3:
        return mutate_bytes(rng, data, other)
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(target, "w") as archive:
        names = source.namelist()
        chosen = rng.randrange(len(names))
        for k, own in enumerate(names):
            name, content = own, source.read(own)
            packing = zipfile.ZIP_STORED
            if k == chosen:
                match rng.randrange(5):
                    case 0 | 1:
                        content = _header(rng) + content[content.index(b"\n") + 1 :]
                    case 2:
                        content = mutate_bytes(rng, content, other)
                    case 3:
                        name = rng.choice(("X.npy", "y.npy", "x", "names.npy", "", "../X.npy", "\x1b.npy", "q.npy"))
                    case _:
                        packing = rng.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
            info = zipfile.ZipInfo(name)
            info.compress_type = packing
            archive.writestr(info, content)
    return target.getvalue()


def _header(rng: Random) -> bytes:
    shape = rng.choice(SHAPES)
    if rng.random() < 0.3:
        shape = f"({rng.choice(NUMBERS)}, {rng.choice(NUMBERS)})"
    order = rng.choice(("False", "True", "None", "0"))
    text = f"{{{rng.choice(KEYS)}'descr': {rng.choice(TYPES)}, 'fortran_order': {order}, 'shape': {shape}, }}\n"
    version = rng.choice((b"\x01\x00", b"\x01\x00", b"\x02\x00", b"\x03\x00", b"\x09\x00"))
    data = text.encode("utf-8")
    size = len(data).to_bytes(2 if version == b"\x01\x00" else 4, "little")
    return b"\x93NUMPY" + version + size + data


def read_csv(case: bytes, folder: Path) -> None:
    path = folder / "case.csv"
    path.write_bytes(case)
    if len(case) % 2:
        Dataset.from_csv(path)
    else:
        read_vectors(path, netlist())


def read_npz(case: bytes, folder: Path) -> None:
    path = folder / "case.npz"
    path.write_bytes(case)
    if len(case) % 3:
        Dataset.from_npz(path)
    else:
        read_vectors(path, netlist())


CSV_KIND = Kind("csv", lambda: CSV, mutate_text, read_csv, share=4)
NPZ_KIND = Kind("npz", npz_seeds, mutate_npz, read_npz, share=4)
