"""How large a report is and how soon it opens: the digits' 64-32-10 network compiled, and searched.

A page is open when it has loaded and every picture in sight is drawn, in a chromium that has just started; `all_s` is
the time until every picture of the page has been scrolled to and drawn.  `open_cpu_s` are processor seconds of all of
chromium's processes until it is open, which other work on the machine does not change much.  Medians of several starts.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from playwright.sync_api import sync_playwright
from scale import classifier_of
from support import show

import mlpress
from mlpress import report

CHROMIUM = shutil.which("chromium") or ""
SIZES = ("64-32-10", "784-32-10")
STARTS = 5
IN_SIGHT = """() => [...document.querySelectorAll('[data-spec]')].every(box => 'drawn' in box.dataset
    || !box.clientWidth || box.getBoundingClientRect().top > innerHeight)"""


def measure(name: str, folder: Path) -> dict[str, Any]:
    """One row of the table: the report of the design in a folder."""
    design = mlpress.Design.load(folder)
    shown = design.shown(folder.name)
    begun = time.process_time()
    page = report.render([shown])
    written = time.process_time() - begun
    path = folder / "report.html"
    path.write_text(page, encoding="utf-8")
    times = [opened(path) for _ in range(STARTS)]
    return {
        "design": name,
        "front": len(design.facts.get("front", ())),
        "netlist_MB": len(design.files.get("netlist.v", "")) / 1e6,
        "report_MB": len(page.encode()) / 1e6,
        "written_s": written,
        "open_s": median(one.open_s for one in times),
        "open_cpu_s": median(one.open_cpu_s for one in times),
        "all_s": median(one.all_s for one in times),
        "pictures": times[0].pictures,
    }


class Times(NamedTuple):
    """Seconds, and processor seconds, until a page is open; seconds until all of it is drawn; its pictures in sight."""

    open_s: float
    open_cpu_s: float
    all_s: float
    pictures: int


def opened(path: Path) -> Times:
    """Open a page in a new browser."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        begun, busy = time.perf_counter(), children_s()
        page.goto(path.resolve().as_uri())
        page.wait_for_function(IN_SIGHT)
        first, spent, count = time.perf_counter() - begun, children_s() - busy, 0
        for box in page.query_selector_all("[data-spec]"):
            if box.is_visible():
                box.scroll_into_view_if_needed()
                page.wait_for_function("box => 'drawn' in box.dataset", arg=box)
                count += 1
        last = time.perf_counter() - begun
        browser.close()
    return Times(first, spent, last, count)


def children_s() -> float:
    """Processor seconds that this process's running children, and theirs, have taken (Linux: /proc/*/stat)."""
    ticks, parents = dict[int, int](), dict[int, int]()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            words = stat.read_text().rpartition(") ")[2].split()
            parents[int(stat.parent.name)], ticks[int(stat.parent.name)] = (
                int(words[1]),
                int(words[11]) + int(words[12]),
            )
    found, before = {os.getpid()}, 0
    while len(found) > before:
        before = len(found)
        found |= {process for process, parent in parents.items() if parent in found}
    return sum(ticks[process] for process in found - {os.getpid()}) / os.sysconf("SC_CLK_TCK")


def made(size: str, place: Path, seconds: float) -> dict[str, Path]:
    """Folders of a network's designs by name: compiled, and searched for so long where that is not 0."""
    model, train, test = classifier_of(size)
    found = {f"{size} compiled": mlpress.compile(model, train, test=test).save(place / "compiled")}
    if seconds:
        searched = mlpress.search(model, train, test=test, seconds=seconds, max_loss=0.05).chosen()
        found[f"{size} searched"] = searched.save(place / "searched")
    return found


def table() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object a row, no table")
    parser.add_argument("--only", nargs="*", default=["64-32-10"], choices=SIZES, help="networks")
    parser.add_argument("--seconds", type=float, default=120.0, help="time of each search; 0: none")
    parser.add_argument("--folders", nargs="*", type=Path, help="design folders to measure instead")
    options = parser.parse_args()
    if not CHROMIUM:
        print("chromium is not installed: apt-get install chromium", file=sys.stderr)
        raise SystemExit(2)
    rows = []
    with tempfile.TemporaryDirectory() as place:
        if options.folders:
            named = {
                str(folder): Path(shutil.copytree(folder, Path(place) / folder.name)) for folder in options.folders
            }
        else:
            named = {}
            for size in options.only:
                named |= made(size, Path(place) / size, options.seconds)
        rows = [measure(name, folder) for name, folder in named.items()]
    show("Size of a report, and seconds until it is open", rows, options.json)


if __name__ == "__main__":
    table()
