"""What the package says of itself agrees, and type checkers see its types."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import mlpress

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_versions_and_licence_agree() -> None:
    citation = dict(re.findall(r"^(\S+): (.+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE))
    assert citation["version"] == PROJECT["version"] == mlpress.__version__
    assert citation["license"] == PROJECT["license"]


def test_supported_pythons_are_named_and_tried() -> None:
    named = [one.rpartition(" ")[2] for one in PROJECT["classifiers"] if "Python :: 3." in one]
    assert named == ["3.11", "3.12", "3.13"]
    assert PROJECT["requires-python"] == ">=3.11,<3.14"
    assert f"for version in {' '.join(named)}; do" in (ROOT / ".ci" / "run").read_text()


def test_types_are_published() -> None:
    assert Path(mlpress.__file__).with_name("py.typed").is_file()


def test_heavy_tools_of_docs_and_labs_are_not_needed_by_users() -> None:
    needed = f"{PROJECT['dependencies']} {PROJECT['optional-dependencies']}"
    assert not re.search("mkdocs|otter|jupyter|ipykernel", needed)
