"""Design folders with one file that anybody may have written: ``name``, a zero byte, then the file's content."""

from __future__ import annotations

import functools
import io
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from fuzz.checkpoints import VALUES
from fuzz.data_files import mutate_npz
from fuzz.kind import Kind
from fuzz.text import WORDS, mutate_bytes, mutate_text

from mlpress import Design, verify
from mlpress.report import render

SOUND = Path(__file__).parents[1] / "folders" / "printed-1"
"""A folder of an earlier version, with the engines of printed circuits."""
FILES = ("design.json", "design.json", "program.mlp", "top.v", "netlist.v", "rows.npz", "oracle.onnx")
VERIFIED = 400
"""One case of so many is verified, where it is read."""


@functools.cache
def seeds() -> Sequence[bytes]:
    return tuple(name.encode() + b"\0" + (SOUND / name).read_bytes() for name in dict.fromkeys(FILES))


def mutate(rng: Random, data: bytes, other: bytes) -> bytes:
    name, content = rng.choice(FILES), b""
    content = (SOUND / name).read_bytes()
    match name:
        case "design.json" if rng.random() < 0.8:
            facts = json.loads(content)
            for _ in range(rng.choice((1, 1, 2))):
                _change(rng, facts)
            content = json.dumps(facts).encode()
        case "rows.npz":
            content = _rows(rng) if rng.random() < 0.3 else mutate_npz(rng, content, other)
        case "oracle.onnx":
            content = mutate_bytes(rng, content, other)
        case _:
            content = mutate_text(rng, content, other)
    return name.encode() + b"\0" + content


def _change(rng: Random, facts: Any) -> None:
    """Change one value somewhere in JSON facts."""
    while isinstance(facts, dict | list) and facts:
        key = rng.choice(list(facts)) if isinstance(facts, dict) else rng.randrange(len(facts))
        if not isinstance(facts[key], dict | list) or not facts[key] or rng.random() < 0.2:
            match rng.randrange(4):
                case 0 if isinstance(facts, dict):
                    facts[rng.choice(WORDS)] = facts.pop(key)
                case 1:
                    del facts[key]
                case 2:
                    facts[key] = rng.choice(WORDS)
                case _:
                    facts[key] = rng.choice(VALUES)
            return
        facts = facts[key]


def _rows(rng: Random) -> bytes:
    file = io.BytesIO()
    features = np.random.default_rng(rng.randrange(9)).normal(size=(rng.randrange(4), rng.choice((2, 3, 3, 3))))
    if features.size:
        features.reshape(-1)[0] = rng.choice((0.0, np.nan, np.inf, 1e308, -1.0))
    labels: Any = rng.choice((np.array(1), np.zeros(len(features)), np.array(["a"] * len(features)), np.zeros(9, int)))
    np.savez(file, features=features, labels=labels)
    return file.getvalue()


def read(case: bytes, folder: Path) -> None:
    """Read the folder, write its report, and of few cases verify it."""
    work = folder / "design"
    if not work.exists():
        shutil.copytree(SOUND, work)
    name, _, content = case.partition(b"\0")
    place = work / name.decode()
    try:
        place.write_bytes(content)
        design = Design.load(work)
        _ = design.target
        render([design.shown(folder.name)])
        if sum(case) % VERIFIED == 0:
            verify(design, rows=16)
    finally:
        shutil.copyfile(SOUND / place.name, place)


KIND = Kind("folder", seeds, mutate, read, share=2)
