"""The text files of a design with their syntax highlighted, as far as there is room for them in a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlpress.report.figures import counted

if TYPE_CHECKING:
    from markupsafe import Markup

MOST_CHARACTERS = 60_000
"""Characters of a file that a page shows, from its beginning."""

MOST_IN_ALL = 150_000
"""Characters of all files of a design together; the longer ones share what the shorter ones leave."""

MOST_FILES = 6
LANGUAGES = {".v": "verilog", ".c": "c", ".h": "c", ".csv": "text", ".txt": "text"}
"""The language of a file, by the end of its name."""

UNSHOWN = ("_tb.v",)
"""Files that are left out: long, and of no interest to a reader."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file: its name, its lines as markup, and what of it is left out."""

    name: str
    lines: Sequence[Markup]
    left_out: str


def sources(files: Mapping[str, str | bytes]) -> list[Source]:
    """Return the text files that a page shows; their text is escaped."""
    texts = {
        name: text
        for name, text in files.items()
        if isinstance(text, str) and _ending(name) in LANGUAGES and not name.endswith(UNSHOWN)
    }
    texts = {name: texts[name] for name in list(texts)[:MOST_FILES]}
    most, left = dict[str, int](), MOST_IN_ALL
    for name in sorted(texts, key=lambda name: len(texts[name])):
        most[name] = min(len(texts[name]), MOST_CHARACTERS, left // (len(texts) - len(most)))
        left -= most[name]
    return [_source(name, text, LANGUAGES[_ending(name)], most[name]) for name, text in texts.items()]


def _ending(name: str) -> str:
    return name[name.rfind(".") :] if "." in name else ""


def _source(name: str, text: str, language: str, most: int) -> Source:
    from markupsafe import Markup
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name

    shown = text if len(text) <= most else text[: text.rfind("\n", 0, most) + 1]
    shown = "\n".join(line[:2000] for line in shown.split("\n"))
    marked = highlight(shown, get_lexer_by_name(language, stripnl=False), HtmlFormatter(nowrap=True))
    lines = [Markup(line) for line in marked.rstrip("\n").split("\n")]  # noqa: S704 - pygments escapes
    left = text.count("\n") - shown.count("\n")
    return Source(name, lines, f"{counted(left, 'further line')} in {name}" if left > 0 else "")
