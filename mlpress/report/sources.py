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
    found = list[Source]()
    for name, text in files.items():
        ending = name[name.rfind(".") :] if "." in name else ""
        if isinstance(text, str) and ending in LANGUAGES and not name.endswith(UNSHOWN) and len(found) < MOST_FILES:
            found.append(_source(name, text, LANGUAGES[ending]))
    return found


def _source(name: str, text: str, language: str) -> Source:
    from markupsafe import Markup
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name

    shown = text if len(text) <= MOST_CHARACTERS else text[: text.rfind("\n", 0, MOST_CHARACTERS) + 1]
    shown = "\n".join(line[:2000] for line in shown.split("\n"))
    marked = highlight(shown, get_lexer_by_name(language, stripnl=False), HtmlFormatter(nowrap=True))
    lines = [Markup(line) for line in marked.rstrip("\n").split("\n")]  # noqa: S704 - pygments escapes
    left = text.count("\n") - shown.count("\n")
    return Source(name, lines, f"{counted(left, 'further line')} in {name}" if left > 0 else "")
