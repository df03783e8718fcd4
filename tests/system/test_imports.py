"""Imports run one way, through the packages' doors, and light modules stay light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "mlpress"
PACKAGES = {"ir", "yosys", "frontend", "approx", "codegen", "sim", "hw", "report"}
SHARED = {
    "_lazy",
    "children",
    "errors",
    "files",
    "interrupts",
    "intervals",
    "jit",
    "progress",
}  # single modules that anyone may import
MAY_USE = {
    "ir": set(),
    "frontend": {"ir"},
    "yosys": set(),
    "codegen": {"ir", "yosys"},
    "sim": {"ir", "yosys"},
    "hw": {"ir", "sim", "yosys"},
    "approx": {"ir", "sim", "hw"},
    "report": PACKAGES - {"report"},
}
HEAVY = {"onnx", "onnxruntime", "amaranth", "pyosys", "sklearn", "numba", "matplotlib", "pyverilog", "deap", "jinja2"}


def _imports(path: Path) -> list[tuple[int, str]]:
    """Every mlpress module that the file imports, wherever in it, as dotted names from the package on."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                found += [(node.lineno, alias.name) for alias in names if alias.name.split(".")[0] == "mlpress"]
            case ast.ImportFrom(level=level) if level:
                found.append((node.lineno, "a relative import"))
            case ast.ImportFrom(module="mlpress", names=names):
                found += [(node.lineno, f"mlpress.{alias.name}") for alias in names]
            case ast.ImportFrom(module=str(module)) if module.startswith("mlpress."):
                found.append((node.lineno, module))
    return found


FILES = sorted(path for path in ROOT.rglob("*.py"))


def test_the_walk_sees_the_packages() -> None:
    assert {path.parent.name for path in FILES} >= PACKAGES


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way_and_through_doors(path: Path) -> None:
    parts = path.relative_to(ROOT).parts
    home = parts[0] if parts[0] in PACKAGES else None
    shared = len(parts) == 1 and path.stem in SHARED
    for line, name in _imports(path):
        where = f"{path}:{line} imports {name}"
        words = name.split(".")
        assert words[0] == "mlpress", where
        target = words[1]
        if target == home:
            continue
        if target in PACKAGES:
            assert len(words) == 2, f"{where}: use the door mlpress.{target}"
            assert not shared, where
            assert home is None or target in MAY_USE[home], f"{where}: {home} may not use {target}"
        elif home is not None and home != "report":
            assert target in SHARED, f"{where}: packages may not use the top modules"
        elif shared:
            assert target in SHARED, where


@pytest.mark.parametrize(
    "module", ["mlpress", "mlpress.ir", *(f"mlpress.{name}" for name in sorted(PACKAGES - {"ir"}))]
)
def test_a_door_imports_no_heavy_library(module: str) -> None:
    code = f"import sys, {module}; print(*sorted({HEAVY!r} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent)
    assert result.stdout.split() == []
