"""No module outside a kind's own names a metric of one target, or tests a target's kind or name."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "mlpress"
OWN = {
    *("targets", "hw", "codegen/c", "codegen/ngpc", "sim/mcu", "sim/hil", "sim/ngpc"),
    *("report/printed.py", "report/mcu.py", "report/ngpc.py", "report/fpga.py", "report/kinds.py"),
    "report/printed_system.py",
}
"""What belongs to one kind of target, and the tables of all of them."""
STILL = {
    "approx/common/warm.py": "cycles of growing and shrinking",
    "approx/gates": "cycles of growing and shrinking",
    "pipeline/stream.py": "a device on a line counts its cycles",
    "arguments.py": "flash=1024 is an example in a message",
    "cli.py": "--max-area and --max-power are short forms of --max area=... and --max power=...",
    "report/tables.py": "estimate_table is of mlpress estimate, which takes netlists alone",
}
"""Not clean yet, and why; nothing may be added."""
METRIC = re.compile(
    r"area_cm2|power_mw|total_mw|static_mw|dynamic_mw|flash_bytes|\bflash\b|\bcm2\b|\bmW\b|\bcycles\b|\bluts\b|fmax_mhz"
)
NAMES = {
    "egfet",
    "cnt-tft",
    "printed",
    "mcu",
    "ngpc",
    "fpga",
    "ecp5-25k",
    "cortex-m0plus",
    "cortex-m4f",
    "cortex-m33",
    "rv32imc",
    "rv32ec",
}


def _files() -> list[str]:
    found = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py"))
    return [name for name in found if not any(_within(name, part) for part in OWN | STILL.keys())]


def _within(name: str, part: str) -> bool:
    return name == part or name.startswith(f"{part}/")


def _findings(text: str) -> list[str]:
    """Metrics of one target in the code (docstrings aside), and comparisons or patterns with a kind or a name."""
    found: list[str] = []
    nodes = list(ast.walk(ast.parse(text)))
    prose = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        match node:
            case ast.Constant(value=str(value)) if METRIC.search(value) and id(node) not in prose:
                found.append(f"{node.lineno}: {value!r}")
            case ast.Attribute(attr=name) | ast.arg(arg=name) | ast.keyword(arg=str(name)) if METRIC.search(name):
                found.append(f"{node.lineno}: {name}")
            case ast.Compare():
                inner = {one.value for one in ast.walk(node) if isinstance(one, ast.Constant)}
                found += [f"{node.lineno}: a test for {name}" for name in sorted(map(str, inner & NAMES))]
            case ast.MatchValue(value=ast.Constant(value=str(value))) if value in NAMES:
                found.append(f"{node.lineno}: a case for {value}")
    return found


@pytest.mark.parametrize("name", _files())
def test_nothing_is_said_of_one_target(name: str) -> None:
    assert _findings((ROOT / name).read_text()) == []


@pytest.mark.parametrize("part", sorted(STILL))
def test_what_is_excused_needs_it(part: str) -> None:
    place = ROOT / part
    texts = [path.read_text() for path in ([place] if place.is_file() else place.rglob("*.py"))]
    assert any(_findings(text) for text in texts), "clean: take it out of STILL"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("x = design.area_cm2", 1),
        ("if kind == 'printed': pass", 1),
        ("if name in {'egfet', 'other'}: pass", 1),
        ("match kind:\n    case 'mcu': pass", 1),
        ("x = facts['total_mw']", 1),
        ("def f(target='egfet'): ...", 0),
        ("'''The area_cm2 of a design.'''", 0),
    ],
)
def test_the_test_sees(text: str, count: int) -> None:
    assert len(_findings(text)) == count
