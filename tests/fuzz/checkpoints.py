"""Checkpoints of both levels' searches under a valid key: facts and arrays that no search writes."""

from __future__ import annotations

import functools
import io
import json
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from fuzz.data_files import mutate_npz
from fuzz.kind import Kind
from support.checkpoints import gate_kept, gate_problem, integer_kept, integer_problem

from mlpress.approx.gates import checkpoint as gate_checkpoint
from mlpress.approx.integer import checkpoint as integer_checkpoint

VALUES: tuple[Any, ...] = (
    -1,
    0,
    1,
    2,
    1 << 70,
    0.5,
    float("nan"),
    float("inf"),
    None,
    True,
    "a",
    [],
    {},
    [[]],
    [1] * 9,
)


@functools.cache
def problems() -> tuple[Any, Any]:
    return integer_problem(), gate_problem()


@functools.cache
def seeds() -> Sequence[bytes]:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "kept.npz"
        integer, gates = problems()
        return integer_kept(path, integer).read_bytes(), gate_kept(path, gates).read_bytes()


def mutate(rng: Random, data: bytes, other: bytes) -> bytes:
    """Change a fact or an array's values or type; else what :func:`mutate_npz` does."""
    if rng.random() < 0.25:
        return mutate_npz(rng, data, other)
    with np.load(io.BytesIO(data)) as archive:
        arrays: dict[str, Any] = {name: archive[name] for name in archive.files}
    name = rng.choice(list(arrays))
    if name == "facts" or rng.random() < 0.5:
        facts = json.loads(str(arrays["facts"]))
        key = rng.choice([one for one in facts if one not in ("format", "key")])
        facts[key] = _value(rng, facts[key], 0)
        arrays["facts"] = np.array(json.dumps(facts))
    else:
        arrays[name] = _array(rng, arrays[name])
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for one, array in arrays.items():
            content = io.BytesIO()
            np.save(content, array)
            archive.writestr(f"{one}.npy", content.getvalue())
    return target.getvalue()


def _value(rng: Random, old: Any, depth: int) -> Any:
    if isinstance(old, list) and old and depth < 4 and rng.random() < 0.8:
        at = rng.randrange(len(old))
        return [_value(rng, one, depth + 1) if k == at else one for k, one in enumerate(old)]
    return rng.choice(VALUES)


def _array(rng: Random, old: Any) -> Any:
    match rng.randrange(6):
        case 0:
            return old.astype(rng.choice((np.float64, np.complex128, np.int32, bool, np.uint8)))
        case 1:
            return old[: rng.randrange(len(old) + 1)]
        case 2:
            return old.reshape(-1)
        case 3:
            return np.concatenate([old, old])
        case 4:
            return np.array(0)
        case _:
            changed = old.copy().reshape(-1)
            if changed.size:
                with np.errstate(all="ignore"):
                    worst = (-1, 1 << 20, 127, 3)
                    changed[rng.randrange(changed.size)] = np.array(rng.choice(worst)).astype(changed.dtype)
                if changed.dtype.kind == "f":
                    changed[0] = rng.choice((float("nan"), float("inf"), -1.0))
            return changed.reshape(old.shape)


def read(case: bytes, folder: Path) -> None:
    path = folder / "kept.npz"
    path.write_bytes(case)
    integer, gates = problems()
    if b"genomes0" in case:
        integer_checkpoint.load(path, integer)
    else:
        gate_checkpoint.load(path, gates)


KIND = Kind("checkpoint", seeds, mutate, read, share=3)
