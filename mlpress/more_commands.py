"""Commands beside compile and search: reports, other designs of a front, firmware, and sweeps."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from mlpress.arguments import (
    AsJson,
    Features,
    Label,
    Output,
    Quiet,
    Strict,
    Verbose,
    new_screen,
    read_columns,
    read_given,
    read_numbers,
)
from mlpress.console import Screen
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
            design = Design.load(folder)
            if design.changed:
                screen.note(f"{folder} has files that are not the ones written: {', '.join(design.changed)}")
            shown.append(design.shown(folder.resolve().name))
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


def sweep(
    model: Annotated[Path, typer.Argument(help="Trained classifier, ONNX.")],
    data: Annotated[str, typer.Option(help="Training rows: CSV, NPZ, or a scikit-learn set.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for sweep.csv and sweep.html.")] = Path(
        "sweep"
    ),
    test: Annotated[str | None, typer.Option(help="Held-out rows, only to state the accuracy on them.")] = None,
    label: Label = None,
    features: Features = None,
    target: Annotated[str, typer.Option("--target", "-t", help="Targets, with commas between them.")] = "egfet",
    input_bits: Annotated[str, typer.Option(help="Bits of each input's code: 2,3,4.")] = "4",
    weight_bits: Annotated[str, typer.Option(help="Bits of each weight: 4,6,8.")] = "8",
    activation_bits: Annotated[str, typer.Option(help="Bits of each hidden output: 6,8.")] = "8",
    verbose: Verbose = False,
    quiet: Quiet = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Compile a model for several targets at several widths: one table and one picture."""
    from mlpress.files import check_replaceable, write_folder
    from mlpress.frontend import Dataset, load
    from mlpress.pipeline.sweep import Grid
    from mlpress.pipeline.sweep import sweep as swept
    from mlpress.report import render_sweep, sweep_table

    check_replaceable(output, marker=SWEEP)
    grid = Grid(
        tuple(name.strip() for name in target.split(",") if name.strip()),
        read_numbers(input_bits, "--input-bits"),
        read_numbers(weight_bits, "--weight-bits"),
        read_numbers(activation_bits, "--activation-bits"),
    )
    screen = new_screen(verbose, quiet, as_json, strict)
    with screen.working():
        screen.step("read model and data")
        network = load(model)
        rows = Dataset.read(data, label, model=network)
        tests = None if test is None else Dataset.read(test, label, model=network)
        found = swept(network, rows, grid, test=tests, features=read_columns(features), progress=screen)
        page = render_sweep(model.name, found.rows)
        write_folder(output, {SWEEP: found.to_csv(), "sweep.html": page}, marker=SWEEP)
    facts = {"folder": str(output), "designs": [dict(row) for row in found.rows]}
    screen.show(facts, sweep_table(found.rows), f"table and picture: {output}")


SWEEP = "sweep.csv"


def targets(
    fits: Annotated[Path | None, typer.Option(help="A design folder: list the parts that it fits instead.")] = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """List the targets and what is known of them, or the parts that a design fits, the cheapest first."""
    if fits is not None:
        _fits(fits, new_screen(verbose, quiet, as_json))
        return
    from mlpress.report import read_targets, targets_table
    from mlpress.targets import targets as listed

    facts = listed()
    new_screen(verbose, quiet, as_json).show(facts, targets_table(read_targets(facts)))


def _fits(folder: Path, screen: Screen) -> None:
    """Build a design for every core and show the parts; exit code 1 where it fits none."""
    from mlpress.design import Design
    from mlpress.report import fits_table
    from mlpress.targets import fitting

    with screen.working():
        design = Design.load(folder)
        found = fitting(design.program, design.rows, design.facts.get("options"), progress=screen)
        screen.note("prices are of makers' announcements; parts without one follow, the smallest memories first")
    screen.show(found, fits_table(found))
    if not any(part["fits"] for part in found):
        raise typer.Exit(1)
