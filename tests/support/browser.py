"""Pages in a real browser, Debian's chromium: what they say, what they ask for, and what they draw."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlpress import report

CHROMIUM = shutil.which("chromium") or ""
WHY_NOT = "chromium is not installed: apt-get install chromium"
PHONE = {"width": 360, "height": 740}
PANEL = "[data-point]:not([hidden])"

ATTACK = "\"><img src=x onerror=\"document.title='HACKED'\"><script>document.title='HACKED'</script>{{7*7}}'"


@contextmanager
def started() -> Iterator[Any]:
    """A browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        found = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


class Opened:
    """A page that was opened: what its console said, and what it asked the network for."""

    def __init__(self, browser: Any, path: Path, **options: Any) -> None:
        assert path.stat().st_size < 5_000_000
        self.page = browser.new_page(**({"viewport": {"width": 1280, "height": 900}} | options))
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())

    @classmethod
    def of(cls, browser: Any, folder: Path, designs: Sequence[report.Shown], **options: Any) -> Opened:
        """The report of ``designs``, written into ``folder``."""
        path = folder / f"{'-'.join(one.folder for one in designs)[:40]}.html"
        path.write_text(report.render(designs), encoding="utf-8")
        return cls(browser, path, **options)

    def drawn(self) -> int:
        """Draw every picture that is in sight, and return how many there are."""
        count = 0
        for box in self.page.query_selector_all("[data-spec]"):
            if box.is_visible():
                box.scroll_into_view_if_needed()
                self.page.wait_for_function("box => 'drawn' in box.dataset", arg=box)
                count += 1
        return count

    def points(self) -> dict[str, Any]:
        """The designs of the front that is in sight by number, and what it is held against by name."""
        panes = [pane for pane in self.page.query_selector_all("[data-front] [id*=front-pane]") if pane.is_visible()]
        marks = panes[0].query_selector_all(".mark-symbol.role-mark.points path")
        names = [mark.get_attribute("aria-label").rpartition(": ")[0].removeprefix("design ") for mark in marks]
        return dict(zip(names, marks, strict=True))

    def panel(self) -> str:
        """What the panel beside the front says."""
        return str(self.page.inner_text(PANEL)).replace("\N{NO-BREAK SPACE}", " ")

    def gates(self) -> int:
        """The gates of the schematics that are drawn."""
        return len(self.page.query_selector_all("#schematic .mark-path.role-mark.gates path"))

    def width(self) -> int:
        """How wide the page is, in pixels."""
        return int(self.page.evaluate("document.documentElement.scrollWidth"))

    def close(self) -> None:
        """Close the page, which has said nothing and asked for nothing."""
        self.page.close()
        assert self.said == []
        assert len(self.asked) == 1, self.asked
