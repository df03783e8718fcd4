"""Imports run one way, through the packages' doors, and light modules stay light."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "mlpress"
DOORS = {
    *("ir", "yosys", "frontend", "approx", "approx.gates", "codegen", "codegen.c", "codegen.ngpc"),
    *(
        "sim",
        "sim.mcu",
        "sim.hil",
        "sim.ngpc",
        "hw.printed",
        "hw.mcu",
        "hw.ngpc",
        "hw.fpga",
        "verify",
        "targets",
        "report",
    ),
}
"""Packages that others import through their ``__init__.py`` alone."""
SHARED = {
    "_lazy",
    "children",
    "errors",
    "files",
    "interrupts",
    "intervals",
    "jit",
    "metrics",
    "notebook",
    "npz",
    "progress",
}  # single modules that anyone may import
MAY_USE = {
    "ir": set(),
    "yosys": {"ir"},
    "frontend": {"ir", "codegen"},
    "codegen": {"ir", "yosys"},
    "codegen.c": {"ir", "codegen", "hw.mcu"},
    "codegen.ngpc": {"ir", "hw.ngpc"},
    "sim": {"ir", "yosys"},
    "sim.mcu": {"ir", "codegen.c", "hw.mcu"},
    "sim.hil": set(),
    "sim.ngpc": {"ir", "codegen.ngpc", "hw.ngpc"},
    "hw.printed": {"ir", "sim", "yosys"},
    "hw.mcu": set(),
    "hw.ngpc": {"ir"},
    "hw.fpga": {"yosys"},
    "approx": {"ir", "sim"},
    "verify": {"ir", "yosys", "codegen", "sim"},
    "targets": DOORS - {"report", "targets"},
    "report": {"ir", "approx", "hw.printed"},
}
"""Which packages a package may use; ``pipeline`` and the single modules above it may use all of them."""
TYPES_ONLY = {("verify", "design"), ("verify", "targets")}
"""What is named in annotations alone: a verification is told its design, which knows its target."""
ABOVE = {"more_commands", "pipeline", "arguments", "cli", "console", "failures", "design", "__init__", "__main__"}
HEAVY = {
    *("onnx", "onnxruntime", "amaranth", "pyosys", "sklearn", "numba", "matplotlib", "pyverilog", "deap", "jinja2"),
    *("vl_convert", "fast_sugiyama", "pygments", "vcd"),
}


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
            case ast.ImportFrom(module=str(module), names=names) if module.startswith("mlpress."):
                doors = {f"{module}.{alias.name}" for alias in names}
                inner = {door for door in doors if door.removeprefix("mlpress.") in DOORS}
                found += [(node.lineno, door) for door in inner]
                found += [(node.lineno, module)] if doors - inner else []
    return found


FILES = sorted(path for path in ROOT.rglob("*.py"))


def home_of(name: str) -> str:
    """The outermost package with a door that a dotted name is in, else the first part of the name."""
    parts = name.split(".")
    nested = ".".join(parts[:2])
    return nested if nested in DOORS - {"approx.gates"} else parts[0]


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def test_the_walk_sees_the_packages() -> None:
    assert {home_of(dotted(path)) for path in FILES} == DOORS - {"approx.gates"} | ABOVE | SHARED | {"hw"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way_and_through_doors(path: Path) -> None:
    home = home_of(dotted(path))
    for line, name in _imports(path):
        where = f"{path}:{line} imports {name}"
        assert name.startswith("mlpress"), where
        used = name.partition(".")[2]
        target = home_of(used) if used else "__init__"
        if target == home or target in SHARED or (home, target) in TYPES_ONLY:
            continue
        assert home not in SHARED, where
        if target in DOORS:
            assert used in DOORS, f"{where}: use the door mlpress.{target}"
            assert home in ABOVE or target in MAY_USE[home], f"{where}: {home} may not use {target}"
        else:
            assert home in ABOVE, f"{where}: packages may not use {target}"


@pytest.mark.parametrize(
    "module", ["mlpress", "mlpress.ir", *(f"mlpress.{name}" for name in sorted(DOORS - {"ir", "approx.gates"}))]
)
def test_a_door_imports_no_heavy_library(module: str) -> None:
    code = f"import sys, {module}; print(*sorted({HEAVY!r} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent)
    assert result.stdout.split() == []


def test_every_name_that_is_imported_anywhere_is_there() -> None:
    """Imports inside of functions run late, and a lazy door tells a type checker nothing."""
    missing = []
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mlpress"):
                for alias in node.names:
                    try:
                        found = hasattr(importlib.import_module(str(node.module)), alias.name)
                        found = found or bool(importlib.util.find_spec(f"{node.module}.{alias.name}"))
                    except ImportError:
                        found = False
                    missing += [] if found else [f"{dotted(path)}:{node.lineno} {node.module}.{alias.name}"]
    assert missing == []
