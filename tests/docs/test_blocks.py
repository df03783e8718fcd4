"""Code blocks of README and docs run: the quick ones in ``make test``, all of them in ``make docs``."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from support.blocks import FENCE, LANGUAGES, PAGES, ROOT, blocks, execute, first_block, make_files, run

QUICK = {("README.md", "python"), ("docs/how-to/pass.md", "python")}
RUNNABLE = [page for page in PAGES if any(block.reason is None for block in blocks(page))]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        make_files(folder)
    return folder


@pytest.fixture(scope="module")
def field_files(files: Path) -> Path:
    """The files of fields beside the others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(files)
        execute(first_block("docs/tutorials/ngpc.md"), {"__name__": "__main__"})
    return files


@pytest.mark.parametrize(("page", "language"), sorted(QUICK))
def test_quick_blocks_run(page: str, language: str, files: Path, tmp_path: Path, monkeypatch: Any) -> None:
    shutil.copytree(files, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    chosen = [block for block in blocks(page) if block.language == language and block.reason is None]
    assert chosen
    for block in chosen:
        run(block, {"__name__": "__main__"})


@pytest.mark.guides
@pytest.mark.parametrize("page", RUNNABLE)
def test_all_blocks_of_a_page_run_one_after_the_other(
    page: str, field_files: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    shutil.copytree(field_files, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    defined: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks(page):
        if block.reason is None:
            run(block, defined)


def test_a_block_that_is_not_run_says_why() -> None:
    left_out = [block for page in PAGES for block in blocks(page) if block.reason is not None]
    assert left_out
    assert all(len(block.reason or "") > 10 for block in left_out)
    assert len(left_out) < sum(1 for page in PAGES for block in blocks(page)) / 3


def test_no_command_or_python_hides_in_another_block() -> None:
    text_form = r"(?!mlpress [a-z ]+ 1$)"  # the first line of a program or a kernel
    told = re.compile(rf"^{text_form}(?:mlpress|pip|uv|python|make|import|from|>>>|\$) ", re.MULTILINE)
    for page in PAGES:
        text = (ROOT / page).read_text()
        fences = FENCE.findall(text)
        assert 2 * len(fences) == len(re.findall(r"^ *(?:```|~~~)", text, re.MULTILINE)), page
        hidden = [code for language, code in fences if language not in LANGUAGES and told.search(code)]
        assert hidden == [], page


def test_a_command_that_fails_is_seen(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    (wrong,) = (block for block in blocks("docs/search.md"))
    with pytest.raises(AssertionError, match="ended with 2"):
        run(wrong, {})  # there is no model.onnx here
