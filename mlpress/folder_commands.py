"""Commands on design folders that are there: their reports, other designs of their fronts, their firmware."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from mlpress.arguments import AsJson, Output, Quiet, Strict, Verbose, new_screen, read_given
from mlpress.errors import MlpressError

OwnLiberty = Annotated[Path | None, typer.Option(help="The liberty file that it was compiled with, if any.")]


def report(
    folders: Annotated[list[Path], typer.Argument(help="Design folders; several are shown side by side.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="HTML file (default: report.html).")] = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Write the report of a design folder anew, or of several designs side by side, as one HTML file."""
    from mlpress.design import Design
    from mlpress.files import write_file
    from mlpress.report import render

    screen = new_screen(verbose, quiet, as_json)
    target = Path("report.html") if output is None else output
    with screen.working():
        shown = []
        for folder in folders:
            screen.step(f"read {folder}")
            shown.append(Design.load(folder).shown(folder.resolve().name))
        screen.step("write the report")
        page = render(shown)
        write_file(target, page)
    screen.show({"file": str(target), "designs": len(shown), "bytes": len(page.encode())}, f"report: {target}")


def pick(
    folder: Annotated[Path, typer.Argument(help="Design folder that a search wrote.")],
    design: Annotated[int, typer.Option(help="Number of the design, as front.csv and the report have it.")],
    output: Output,
    liberty: OwnLiberty = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Make another member of a search's front the design, built and verified anew; the search is not run again."""
    from mlpress.design import FACTS
    from mlpress.files import check_replaceable
    from mlpress.pipeline.compile import command_facts, with_proofs
    from mlpress.pipeline.pick import pick as picked
    from mlpress.report import summary_table

    if folder.resolve() == output.resolve():
        raise MlpressError(f"{output} is the folder to pick from; name another one with --output")
    check_replaceable(output, marker=FACTS)
    screen = new_screen(verbose, quiet, as_json, strict)
    with screen.working():
        found = with_proofs(picked(folder, design, progress=screen, **read_given(None, liberty=liberty)), screen)
        told = command_facts(["pick", folder.name, "--design", str(design), "-o", output.name], datetime.now(UTC))
        found = found.with_facts(found.facts | told)
        written = found.save(output)
    screen.show(found.facts | {"folder": str(written)}, summary_table(found.described), f"design folder: {written}")


def firmware(
    folder: Annotated[Path, typer.Argument(help="Design folder.")],
    out: Annotated[Path, typer.Option("--output", "-o", help="Folder to write.")],
    protocol: Annotated[str, typer.Option(help="framed, which `mlpress run` speaks, or mlperf.")] = "framed",
    verbose: Verbose = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Write the C of a firmware for a board, to which you add the functions of board.h."""
    from mlpress.design import Design
    from mlpress.pipeline.firmware import write_firmware

    names = write_firmware(Design.load(folder), protocol, out)
    new_screen(verbose, quiet, as_json).show({"folder": str(out), "files": names}, f"{out}: {', '.join(names)}")
