"""Links of README and docs lead somewhere: files are there, and so are the headings that anchors name."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
from support.blocks import PAGES, ROOT

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def reference() -> ModuleType:
    """The module that writes pages while the site is built."""
    spec = importlib.util.spec_from_file_location("reference", ROOT / "docs" / "hooks" / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def anchors(text: str) -> set[str]:
    """The names that headings get: lower case, words joined by dashes."""
    titles = (
        re.sub(r"[^\w\- ]", "", title.lower()) for title in HEADING.findall(re.sub(r"(?s)^```.*?^```$", "", text))
    )
    return {title.strip().replace(" ", "-") for title in titles}


def broken(page: Path, text: str, written: dict[Path, str]) -> list[str]:
    """The links of ``text``, which stands at ``page``, that lead nowhere."""
    found = []
    for link in LINK.findall(CODE.sub("", text)):
        if re.match(r"https?://", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        known = written.get(target) or (target.read_text() if target.is_file() and target.suffix == ".md" else "")
        if not (target.exists() or target in written) or (anchor and anchor not in anchors(known)):
            found.append(link)
    return found


@pytest.fixture(scope="module")
def written() -> dict[Path, str]:
    """The pages that are written while the site is built."""
    made = reference()
    pages = {made.CLI: made.cli_lines(), made.PYTHON: made.python_lines()}
    return {(ROOT / "docs" / name).resolve(): "\n".join(lines) for name, lines in pages.items()}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str, written: dict[Path, str]) -> None:
    assert broken(ROOT / page, (ROOT / page).read_text(), written) == []


def test_a_broken_link_is_seen(written: dict[Path, str]) -> None:
    page, links = (
        ROOT / "docs" / "index.md",
        "[a](no.md) [b](data.md#no) [c](data.md#warnings) [d](#here) [e](flow.svg)",
    )
    assert broken(page, links, written) == ["no.md", "data.md#no", "#here"]


def test_every_page_is_in_the_site() -> None:
    listed = (ROOT / "mkdocs.yml").read_text()
    assert [page for page in PAGES if page != "README.md" and page.removeprefix("docs/") not in listed] == []


def test_the_reference_has_every_option_and_name(written: dict[Path, str]) -> None:
    from typer.main import get_command

    import mlpress
    from mlpress.cli import app

    cli, python = (written[(ROOT / "docs" / name).resolve()] for name in (reference().CLI, reference().PYTHON))
    commands = get_command(app).commands  # type: ignore[attr-defined]
    assert {f"## mlpress {name}" for name in commands} <= set(cli.splitlines())
    for command in commands.values():
        assert all(f"`{flag}`" in cli for one in command.params for flag in one.opts if flag.startswith("-"))
    assert {f"## {name}" for name in mlpress.__all__ if not name.startswith("_")} <= set(python.splitlines())
