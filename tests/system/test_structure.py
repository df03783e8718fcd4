"""Files and functions stay small, and no module imports itself through others."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "mlpress"
MOST_LINES, MOST_IN_A_FUNCTION, MEDIAN = 500, 80, 150
LONG = {
    ("cli.py", "search"): "its options are its parameters, one or two lines each, and its docstring is what users read",
}
"""Functions that may be longer and cannot say why themselves; nothing may be added."""
REASON = "This function is long "
"""A function of more lines says why in a sentence of its docstring that begins so."""
FILES = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in sorted(ROOT.rglob("*.py"))}
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_small(name: str) -> None:
    assert FILES[name].count("\n") <= MOST_LINES


def test_most_files_are_smaller() -> None:
    sizes = sorted(text.count("\n") for text in FILES.values())
    assert sizes[len(sizes) // 2] < MEDIAN


@pytest.mark.parametrize("name", FILES)
def test_a_function_is_small(name: str) -> None:
    long = [
        f"{node.lineno}: {node.name}, {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(ast.parse(FILES[name]))
        if isinstance(node, FUNCTIONS) and node.end_lineno and node.end_lineno - node.lineno + 1 > MOST_IN_A_FUNCTION
        if (name, node.name) not in LONG and REASON not in " ".join((ast.get_docstring(node) or "").split())
    ]
    assert long == []


def _module(name: str) -> str:
    parts = ["mlpress", *name.removesuffix(".py").split("/")]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {_module(name): name for name in FILES}


def _needs(text: str) -> set[str]:
    """Modules that must be there before this one is: imports outside of functions and of ``if TYPE_CHECKING``."""
    found: set[str] = set()
    todo: list[ast.AST] = list(ast.parse(text).body)
    while todo:
        match todo.pop():
            case ast.Import(names=names):
                found |= {alias.name for alias in names}
            case ast.ImportFrom(module=str(module), names=names):
                inner = {f"{module}.{alias.name}" for alias in names} & MODULES.keys()
                found |= inner | ({module} if len(inner) < len(names) else set())
            case ast.If(test=ast.Name(id="TYPE_CHECKING"), orelse=rest):
                todo += rest
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                pass
            case node:
                todo += ast.iter_child_nodes(node)
    return found & MODULES.keys()


def _circle(needs: dict[str, set[str]]) -> list[str]:
    """The first circle of modules that need each other, by depth-first search; empty where there is none."""
    done: set[str] = set()

    def visit(module: str, path: list[str]) -> list[str]:
        if module in path:
            return path[path.index(module) :]
        if module in done:
            return []
        for other in sorted(needs.get(module, ())):
            if circle := visit(other, [*path, module]):
                return circle
        done.add(module)
        return []

    return next((circle for module in sorted(needs) if (circle := visit(module, []))), [])


def test_no_module_needs_itself_through_others() -> None:
    assert _circle({module: _needs(FILES[name]) for module, name in MODULES.items()}) == []


def test_a_circle_is_found() -> None:
    assert _circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c"]
    assert _circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []
    assert _needs("from mlpress import ir\ndef f():\n    import mlpress.cli") == {"mlpress.ir"}
