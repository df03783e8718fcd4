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
from unittest import mock

import numpy as np
from fuzz.checkpoints import VALUES
from fuzz.data_files import mutate_npz
from fuzz.kind import Kind
from fuzz.text import WORDS, mutate_bytes, mutate_text

from mlpress import Design, verify
from mlpress.pipeline.pick import FRONT, pick
from mlpress.pipeline.run import run
from mlpress.report import render

SOUND = Path(__file__).parents[1] / "folders"
"""Folders of every kind of target, of this version and earlier ones."""
OFTEN = {"design.json": 3, "rows.npz": 2, "program.mlp": 2}
NEVER = {"report.html", "front.csv", "top_tb.v"}
"""What nothing reads, or only as text to compare."""
VERIFIED = 400
"""One case of so many is verified, where it is read."""


@functools.cache
def files() -> Sequence[str]:
    """Return the files of all folders, as ``folder/name``, some of them several times."""
    found = sorted(path for path in SOUND.glob("*/*") if path.name not in NEVER)
    return [f"{path.parent.name}/{path.name}" for path in found for _ in range(OFTEN.get(path.name, 1))]


@functools.cache
def content(name: str) -> bytes:
    """Return a file of a folder."""
    return (SOUND / name).read_bytes()


@functools.cache
def inputs(folder: str) -> int:
    """Return how many features the rows of a folder have."""
    return int(Design.load(SOUND / folder).features.shape[1])


@functools.cache
def seeds() -> Sequence[bytes]:
    return tuple(name.encode() + b"\0" + content(name) for name in dict.fromkeys(files()))


def mutate(rng: Random, data: bytes, other: bytes) -> bytes:
    name = rng.choice(files())
    folder, _, file = name.partition("/")
    changed = content(name)
    match Path(file).suffix:
        case ".json" if rng.random() < 0.8:
            facts = json.loads(changed)
            for _ in range(rng.choice((1, 1, 2))):
                _change(rng, facts)
            changed = json.dumps(facts).encode()
        case ".npz":
            random = file == "rows.npz" and rng.random() < 0.4
            changed = _rows(rng, inputs(folder)) if random else mutate_npz(rng, changed, other)
        case ".onnx" | ".bit" | ".bin":
            changed = mutate_bytes(rng, changed, other)
        case _:
            changed = mutate_text(rng, changed, other)
    return name.encode() + b"\0" + changed


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


def _rows(rng: Random, inputs: int) -> bytes:
    file = io.BytesIO()
    width = rng.choice((inputs, inputs, inputs, inputs + 1))
    features = np.random.default_rng(rng.randrange(9)).random((rng.randrange(4), width))
    if features.size:
        features.reshape(-1)[0] = rng.choice((0.0, np.nan, np.inf, 1e308, -1.0))
    count = len(features)
    labels: Any = rng.choice(
        (
            *(np.array(1), np.zeros(count), np.zeros(9, int), np.full(count, 7), np.full((count, 2), np.nan)),
            *(np.array(["a"] * count), np.array(["\x1b[2J"] * count), np.array(["1"] * count), np.zeros((count, 3))),
        )
    )
    more: dict[str, Any] = {"given": np.zeros(count, int)} if rng.random() < 0.3 else {}
    if more and rng.random() < 0.5:
        more |= {
            "test_features": features,
            "test_labels": labels,
            "test_given": rng.choice((labels, np.zeros(count, int))),
        }
    np.savez(file, features=features, labels=labels, **more)
    return file.getvalue()


def read(case: bytes, folder: Path) -> None:
    """Read the folder, its artifact and its front, write its report, and of few cases verify it."""
    name, _, changed = case.partition(b"\0")
    kind, _, file = name.decode().partition("/")
    work = folder / kind
    if not work.exists():
        shutil.copytree(SOUND / kind, work)
    place = work / file
    try:
        place.write_bytes(changed)
        design = Design.load(work)
        _ = design.artifact
        _ = design.rows
        render([design.shown(folder.name)])
        if (work / FRONT).is_file():
            with mock.patch("mlpress.pipeline.pick.build_design", lambda *_, **__: design):
                pick(work, sum(changed) % 3)
        if sum(case) % VERIFIED == 0:
            verify(design, rows=16)
            run(design, _device(design), None)
    finally:
        shutil.copyfile(SOUND / kind / file, place)


def _device(design: Design) -> str:
    """Return a device of the design's target that needs nothing but Python."""
    return "ngpc" if design.target.kind == "ngpc" else "rtl"


KIND = Kind("folder", seeds, mutate, read, share=5)
