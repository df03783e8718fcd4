"""Write the reference pages from the code, while the site is built: the command line, and the Python door."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mkdocs.structure.files import Files

CLI, PYTHON = "reference/cli.md", "reference/python.md"


def on_files(files: Files, config: Any) -> Files:
    """Add the pages; called by mkdocs."""
    from mkdocs.structure.files import File

    files.append(File.generated(config, CLI, content="\n".join(cli_lines())))
    files.append(File.generated(config, PYTHON, content="\n".join(python_lines())))
    return files


def cli_lines() -> Iterator[str]:
    """Yield the page of the command line: each command with its help, arguments and options."""
    from typer.main import get_command

    from mlpress.cli import app

    root: Any = get_command(app)
    yield f"# Command line\n\n{root.help}\n"
    yield "Every command prints one line for what a user can mend and ends with exit code 2 then.\n"
    for name, command in root.commands.items():
        yield f"## mlpress {name}\n\n{paragraphs(command.help)}\n"
        words = " ".join(str(one.name).upper() for one in command.params if one.param_type_name == "argument")
        yield f"```text\nmlpress {name} {words} [options]\n```\n"
        yield "| option | default | meaning |\n|---|---|---|"
        for one in command.params:
            if one.param_type_name == "option" and not one.hidden:
                flags = ", ".join(f"`{flag}`" for flag in one.opts)
                yield f"| {flags} | {default(one)} | {cell(one.help or '')} |"
        yield ""


def default(option: Any) -> str:
    """Return what an option is where it is not given, for a cell of a table."""
    if option.required:
        return "required"
    given = option.default
    return "" if given is None or given is False or given == [] else f"`{given}`"


def python_lines() -> Iterator[str]:
    """Yield the page of ``mlpress``: each public name with its signature and docstring."""
    import mlpress

    yield f"# Python\n\n{paragraphs(inspect.getdoc(mlpress) or '')}\n"
    for name in mlpress.__all__:
        what = getattr(mlpress, name)
        if inspect.isclass(what):
            yield from class_lines(name, what)
        elif callable(what):
            yield f"## {name}\n\n{signature(name, what)}\n\n{paragraphs(inspect.getdoc(what) or '')}\n"


def class_lines(name: str, kind: type) -> Iterator[str]:
    """Yield a class: its docstring, and each public method and property."""
    yield f"## {name}\n\n{paragraphs(inspect.getdoc(kind) or '')}\n"
    for member, what in vars(kind).items():
        said = inspect.getdoc(what)
        if member.startswith("_") or not said or not (callable(what) or isinstance(what, (classmethod, property))):
            continue
        function = getattr(what, "__func__", what)
        shown = f"`{name}.{member}`" if isinstance(what, property) else signature(f"{name}.{member}", function)
        yield f"### {name}.{member}\n\n{shown}\n\n{paragraphs(said)}\n"


def signature(name: str, function: Any) -> str:
    """Return the call as a block of code, one parameter per line where there are many."""
    try:
        found = inspect.signature(function)
    except (TypeError, ValueError):
        return ""
    text = str(found)
    if len(text) > 80:
        parts, keyword = [], False
        for one in found.parameters.values():
            if one.kind is one.KEYWORD_ONLY and not keyword:
                parts.append("    *,")
                keyword = True
            parts.append(f"    {one},")
        text = "\n".join(["(", *parts, f") -> {found.return_annotation}"])
    text = re.sub(r"(: |-> )'([^']*)'", r"\1\2", text)  # annotations are texts
    return f"```python\n{name}{text}\n```"


def paragraphs(text: str) -> str:
    """Return a docstring as Markdown: roles and doubled backquotes become code, examples become blocks."""
    text = re.sub(r":[a-z:]+:`~?([^`]+)`", r"`\1`", text).replace("``", "`")
    return re.sub(
        r"((?:^>>> .*\n?)+)", lambda found: f"```python\n{found[1].replace('>>> ', '')}\n```\n", text, flags=re.M
    )


def cell(text: str) -> str:
    """Return text that fits a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")
