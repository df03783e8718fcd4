"""The command line: each command is a few lines over the Python API."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mlpress import __version__, interrupts, more_commands
from mlpress.arguments import (
    ActivationBits,
    AsJson,
    Cuts,
    Effort,
    Features,
    InputBits,
    Interface,
    Label,
    Levels,
    Liberty,
    OffsetSigma,
    Output,
    Quiet,
    Rate,
    SearchLevel,
    Start,
    Strict,
    Target,
    TargetOption,
    Task,
    Verbose,
    WeightBits,
    new_screen,
    read_columns,
    read_given,
    read_most,
    read_passes,
    read_seconds,
)
from mlpress.failures import in_one_line


class _Commands(TyperGroup):
    """Commands whose interrupts the caller handles, in place of typer."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            interrupts.end()


app = typer.Typer(
    cls=_Commands,
    name="mlpress",
    help="Compile a trained MLP classifier to the smallest hardware that meets an accuracy limit, and prove it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

app.command()(more_commands.report)
app.command()(more_commands.pick)
app.command()(more_commands.firmware)
app.command()(more_commands.sweep)
app.command()(more_commands.targets)

OUT_OF_TIME = 3
"""Exit code where nothing differs but a proof did not end; 1 is a difference, 2 a user's error."""


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"mlpress {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


_typed: list[str] = []
"""The arguments that :func:`main` was called with."""


def _told() -> dict[str, str]:
    """Return the command that runs, and when."""
    from datetime import UTC, datetime

    from mlpress.pipeline.compile import command_facts

    return command_facts(_typed, datetime.now(UTC))


@app.command("compile")
def compile_command(
    model: Annotated[Path, typer.Argument(help="Trained classifier or field, ONNX.")],
    data: Annotated[
        str | None, typer.Option(help="Training rows (a field may do without): CSV, NPZ, or a scikit-learn set.")
    ] = None,
    output: Output = Path("build"),
    test: Annotated[str | None, typer.Option(help="Held-out rows, only to state the accuracy on them.")] = None,
    label: Label = None,
    features: Features = None,
    task: Annotated[Task, typer.Option(help="What the model does: read it off the model, or say it.")] = "auto",
    target: Target = "egfet",
    liberty: Liberty = None,
    input_bits: InputBits = 4,
    weight_bits: WeightBits = 8,
    activation_bits: ActivationBits = 8,
    approx: Annotated[
        list[str] | None, typer.Option(help="Approximate first: multiply:terms=2; repeat for more passes, in turn.")
    ] = None,
    effort: Effort = None,
    rate: Rate = None,
    style: Annotated[str | None, typer.Option(help="Verilog: flat (one module) or modules (one per neuron).")] = None,
    registered: Annotated[bool, typer.Option("--registered", help="Flip-flops at inputs and outputs.")] = False,
    package: Annotated[str | None, typer.Option(help="C as a library: arduino or cmake (Zephyr too).")] = None,
    option: TargetOption = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Compile a model, exactly unless told to approximate: verified Verilog or C, with what it costs."""
    from mlpress.design import FACTS
    from mlpress.files import check_replaceable
    from mlpress.pipeline import compile as compiler
    from mlpress.report import summary_table

    check_replaceable(output, marker=FACTS)
    passes = read_passes(approx or [])
    screen = new_screen(verbose, quiet, as_json, strict)
    with screen.working():
        options = compiler.Options.of(
            target,
            input_bits=input_bits,
            weight_bits=weight_bits,
            activation_bits=activation_bits,
            **read_given(
                option,
                liberty=liberty,
                effort=effort,
                rate_hz=rate,
                style=style,
                registered=registered or None,
                package=package,
            ),
        )
        screen.step("read model and data")
        network, rows, tests = compiler.read_inputs(options.target, model, data, test, label, task)
        design = compiler.compile_model(
            network,
            rows,
            options,
            passes=passes,
            test=tests,
            features=read_columns(features),
            source=compiler.source_facts(model, data, test),
            progress=screen,
        )
        design = compiler.with_proofs(design, screen)
        folder = design.with_facts(design.facts | _told()).save(output)
    screen.show(design.facts | {"folder": str(folder)}, summary_table(design.described), f"design folder: {folder}")


@app.command()
def search(
    model: Annotated[Path, typer.Argument(help="Trained classifier or field, ONNX.")],
    data: Annotated[str, typer.Option(help="Training rows: CSV, NPZ, or the name of a scikit-learn set.")],
    output: Output = Path("build"),
    test: Annotated[str | None, typer.Option(help="Held-out rows, only to state the accuracy on them.")] = None,
    label: Label = None,
    features: Features = None,
    target: Target = "egfet",
    liberty: Liberty = None,
    input_bits: InputBits = 4,
    weight_bits: WeightBits = 8,
    activation_bits: ActivationBits = 8,
    level: Annotated[SearchLevel, typer.Option(help="Search networks, gates, or one after the other.")] = "both",
    start: Annotated[Start, typer.Option(help="Let gates evolve from the model alone, or from trees too.")] = "model",
    max_loss: Annotated[
        float | None,
        typer.Option(
            help="Accuracy that may be lost: a share (0.01), of fields dB of PSNR (1.0); with --max the least."
        ),
    ] = None,
    most: Annotated[
        list[str] | None, typer.Option("--max", help="Largest cost by metric: flash=1024; repeat for more.")
    ] = None,
    minimise: Annotated[
        str | None, typer.Option(help="The metric that ranks designs (default: the target's first).")
    ] = None,
    max_area: Annotated[float | None, typer.Option(help="Short for --max area=..., cm2.")] = None,
    max_power: Annotated[float | None, typer.Option(help="Short for --max power=..., mW.")] = None,
    power_source: Annotated[list[str] | None, typer.Option(help="A printed source that must feed it.")] = None,
    with_adc: Annotated[bool, typer.Option("--with-adc", help="Short for -O with_adc=true.")] = False,
    budget: Annotated[str, typer.Option(help="Time for the whole command: 90s, 5m, 1h.")] = "2m",
    seconds: Annotated[float | None, typer.Option(help="The same in seconds.")] = None,
    generations: Annotated[int | None, typer.Option(help="Of networks, in place of time (repeatable).")] = None,
    rounds: Annotated[int | None, typer.Option(help="Of gates, in place of time (repeatable).")] = None,
    power_weight: Annotated[
        float, typer.Option(help="How many steps of a gate's cost (um2) one nW weighs as much as.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Same seed, generations and rounds: same front.")] = 0,
    workers: Annotated[int | None, typer.Option(help="Threads (default: all cores).")] = None,
    cluster: Annotated[str | None, typer.Option(help="Dask scheduler, tcp://host:port.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the search's checkpoints.")] = False,
    published: Annotated[
        Path | None, typer.Option(help="Designs to show in the picture: CSV of label, accuracy and, say, area_cm2.")
    ] = None,
    option: TargetOption = None,
    interface: Interface = None,
    levels: Levels = 0,
    cuts: Cuts = "information",
    offset_sigma: OffsetSigma = None,
    defect_rate: Annotated[float, typer.Option(help="Of these copies, the share of cells that are stuck.")] = 0.0,
    copies: Annotated[int, typer.Option(help="Printed copies that are drawn.")] = 1000,
    effort: Effort = None,
    rate: Rate = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Search for approximate designs: a front of accuracy against cost, and the cheapest that loses little."""
    from mlpress.approx import Budget, now
    from mlpress.design import FACTS
    from mlpress.files import check_replaceable
    from mlpress.pipeline import compile as compiler
    from mlpress.pipeline import search as searching
    from mlpress.pipeline.result import with_fronts
    from mlpress.pipeline.settings import RunOptions, Settings, limits_of, usual
    from mlpress.pipeline.variation import Faults, with_copies
    from mlpress.report import read_design, read_points, summary_table
    from mlpress.targets import power_limit

    began = now()
    faults = Faults(offset_sigma, defect_rate, copies)
    check_replaceable(output, marker=FACTS)
    most_by_metric = read_most(most or [], max_area, power_limit(power_source or [], max_power))
    allowed = Budget(read_seconds(budget) if seconds is None else seconds, generations)
    run = RunOptions(workers, cluster, output.with_name(f"{output.name}.checkpoint"), resume)
    screen = new_screen(verbose, quiet, as_json, strict)
    own = read_given(
        option, liberty=liberty, effort=effort, rate_hz=rate, with_adc=with_adc or None, interface=interface
    )
    own |= {"input_bits": input_bits, "weight_bits": weight_bits, "activation_bits": activation_bits}
    options = usual(compiler.Options.of(target, levels=levels, cuts=cuts, **own), own)
    limits = limits_of(max_loss, most_by_metric, options.target.level)
    settings = Settings(level, start == "tree", limits, minimise, power_weight, seed, offset_sigma or 0.0)
    points = () if published is None else read_points(published, searching.column_of(options, minimise))
    with screen.working():
        screen.step("read model and data")
        network, rows, tests = compiler.read_inputs(options.target, model, data, test, label, "auto")
        assert rows is not None  # --data is required
        if resume and not run.begun():
            done = searching.finished(output, network, rows, options, settings, read_columns(features))
            if done is not None:
                screen.note(f"the search is done: {output} is what it found")
                screen.show(
                    done | {"folder": str(output)}, summary_table(read_design(done)), f"design folder: {output}"
                )
                return
            screen.note("there is no checkpoint of this search yet: it starts from the beginning")
        found = searching.search_model(
            network,
            rows,
            allowed,
            options,
            settings,
            rounds=rounds,
            run=run,
            test=tests,
            features=read_columns(features),
            source=compiler.source_facts(model, data, test),
            began=began,
            progress=screen,
        )
        screen.step("build and verify the chosen design")
        design = found.chosen()
        if faults.any:
            screen.step(f"draw {copies} printed copies")
            design = with_copies(design, found, faults, seed)
        design = compiler.with_proofs(with_fronts(design, found, points), screen)
        folder = design.with_facts(design.facts | _told()).save(output)
        if found.front.stopped == "interrupted":
            screen.note(f"interrupted; the same command with --resume goes on from {run.checkpoint}.*")
        else:
            run.forget()
    screen.show(design.facts | {"folder": str(folder)}, summary_table(design.described), f"design folder: {folder}")


@app.command()
def estimate(
    verilog: Annotated[list[Path], typer.Argument(help="Verilog files.")],
    top: Annotated[
        str | None, typer.Option(help="Top module (default: the only one that nothing instantiates).")
    ] = None,
    target: Target = "egfet",
    liberty: Liberty = None,
    mapped: Annotated[
        bool, typer.Option("--mapped", help="The file is a netlist of the technology's cells already.")
    ] = False,
    vectors: Annotated[
        Path | None, typer.Option(help="Input vectors, CSV or NPZ; else each bit is 1 half of the time.")
    ] = None,
    with_adc: Annotated[
        bool, typer.Option("--with-adc", help="State input converters too: one per port, or per column `x[3:0]`.")
    ] = False,
    effort: Effort = None,
    rate: Rate = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Say what any Verilog costs in printed cells, ours or not."""
    from mlpress.pipeline.estimate import estimate as priced
    from mlpress.report import estimate_table, read_estimate

    screen = new_screen(verbose, quiet, as_json, strict)
    with screen.working():
        own: dict[str, Any] = read_given(None, liberty=liberty, effort=effort, rate_hz=rate, with_adc=with_adc or None)
        cost = priced(verilog, target=target, top=top, mapped=mapped, vectors=vectors, progress=screen, **own)
    facts: dict[str, Any] = dict(cost.facts["estimate"])
    screen.show(facts, estimate_table(read_estimate(facts | {"notes": []} if quiet else facts)))


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(help="Design folder.")],
    liberty: Annotated[Path | None, typer.Option(help="The liberty file that it was compiled with, if any.")] = None,
    data: Annotated[str | None, typer.Option(help="Further rows to run: CSV, NPZ, or a scikit-learn set.")] = None,
    label: Annotated[str | None, typer.Option(help="Label column of --data (default: the last).")] = None,
    formal: Annotated[
        bool, typer.Option("--formal", help="Demand the proof for all inputs, which is else tried for seconds.")
    ] = False,
    time_limit: Annotated[str, typer.Option(help="With --formal, time for each proof: 90s, 5m, 1h.")] = "5m",
    verbose: Verbose = False,
    quiet: Quiet = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Run every engine on all rows, corners and random rows, demand equality, and prove it where that is quick.

    Exit code 0 where all is equal, 1 where anything differs or a file is not the one that was written, 3 where nothing
    differs but an engine or a proof asked for with --formal ran out of time.
    """
    from mlpress.design import Design
    from mlpress.frontend import read_rows
    from mlpress.report import files_line, proof_table, read_checks, read_files, read_proofs, verification_table
    from mlpress.verify import check_proofs
    from mlpress.verify import verify as run

    seconds = read_seconds(time_limit) if formal else None
    screen = new_screen(verbose, quiet, as_json, strict)
    with screen.working():
        design = Design.load(folder, **read_given(None, liberty=liberty))
        more = None if data is None else read_rows(data, design.program, label)
        results = run(design, more=None if more is None else more.features, progress=screen)
        different = any(result.verdict == "different" for result in results)
        proofs = check_proofs(design, timeout_s=seconds, different=different, progress=screen)
    files, engines = design.files_facts(), [result.to_json() for result in results]
    claims = [proof.to_json() for proof in proofs]
    facts = {"files": files, "rows_given": 0 if more is None else len(more), "engines": engines, "proofs": claims}
    proven = [proof_table(read_proofs(claims))] if claims else []
    screen.show(facts, files_line(read_files(files)), verification_table(read_checks(engines)), *proven)
    verdicts = {proof.verdict for proof in proofs}
    if design.changed or different or "refuted" in verdicts:
        raise typer.Exit(1)
    if (formal and "out of time" in verdicts) or not all(result.equal or result.optional for result in results):
        raise typer.Exit(OUT_OF_TIME)


@app.command("run")
def run_command(
    folder: Annotated[Path, typer.Argument(help="Design folder.")],
    device: Annotated[
        str,
        typer.Option(
            help="What it runs on: emulated, host, a board on serial:/dev/ttyACM0[@baud], an emulated one on pty; "
            "for printed designs rtl, or rtl-pty; for clusters ngpc."
        ),
    ],
    data: Annotated[
        str | None, typer.Option(help="Rows: CSV, NPZ, or a scikit-learn set (default: those it was made from).")
    ] = None,
    label: Annotated[str | None, typer.Option(help="Label column of --data (default: the last).")] = None,
    rate: Annotated[float | None, typer.Option(help="Rows per second to a device on a line.")] = None,
    log: Annotated[
        Path | None, typer.Option(help="CSV file with a line per row that a device on a line answers.")
    ] = None,
    sensor: Annotated[
        list[str] | None,
        typer.Option(help="Distort the rows: adc:bits=6, noise:sigma=0.02, missing:rate=0.01; may be repeated."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the sensors.")] = 0,
    vcd: Annotated[Path | None, typer.Option(help="With --device rtl: file for the waveforms (GTKWave).")] = None,
    liberty: Annotated[Path | None, typer.Option(help="The liberty file that it was compiled with, if any.")] = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Run a design on a device: its accuracy there, and what a prediction takes.

    Exit code 0 where every answer is the reference interpreter's, else 1.  Ctrl-C ends a device on a line with the
    rows that it has answered.
    """
    from mlpress.design import Design
    from mlpress.frontend import read_rows
    from mlpress.pipeline.run import run
    from mlpress.pipeline.stream import Streaming
    from mlpress.report import read_run, run_table
    from mlpress.sim.hil import read_sensor

    screen = new_screen(verbose, quiet, as_json, strict)
    streaming, sensors = Streaming(rate, log), [read_sensor(text) for text in sensor or ()]
    with screen.working():
        design = Design.load(folder, **read_given(None, liberty=liberty))
        rows = None if data is None else read_rows(data, design.program, label)
        facts = run(
            *(design, device, rows),
            streaming=streaming,
            sensors=sensors,
            seed=seed,
            progress=screen,
            watch=screen.row,
            vcd=vcd,
        )
    screen.show(facts, run_table(read_run(facts)))
    if facts["different"]:
        raise typer.Exit(1)


@app.command()
def convert(
    model: Annotated[Path, typer.Argument(help="Trained classifier, ONNX.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write.")] = Path("net.onnx"),
    data: Annotated[str | None, typer.Option(help="Rows to quantise on, where the trainer did not.")] = None,
    label: Label = None,
    task: Annotated[Task, typer.Option(help="What the model does: read it off the model, or say it.")] = "auto",
    input_bits: InputBits = 4,
    weight_bits: WeightBits = 8,
    activation_bits: ActivationBits = 8,
    verbose: Verbose = False,
    quiet: Quiet = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Write the integer network of a model as QONNX, for other tools; it reads back as the same network."""
    from mlpress.files import write_file
    from mlpress.frontend import Dataset, load
    from mlpress.pipeline.convert import convert as converted

    screen = new_screen(verbose, quiet, as_json, strict)
    with screen.working():
        network = load(model, task)
        rows = None if data is None else Dataset.read(data, label, task, network)
        content, net = converted(
            network, rows, input_bits=input_bits, weight_bits=weight_bits, activation_bits=activation_bits
        )
        write_file(output, content)
    facts = {"file": str(output), "layers": len(net.layers), "terms": net.terms}
    screen.show(facts, f"{output}: {len(net.layers)} layers, {net.terms} terms, read back as the same network")


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; what a user can mend ends in one line and exit code 2.

    Ctrl-C, SIGTERM and SIGHUP end it with exit code 130, 143 and 129, but for a search that has something to show.
    """
    _typed[:] = sys.argv[1:] if arguments is None else arguments
    try:
        with in_one_line(), interrupts.handled():
            app(arguments)
    except interrupts.Ended as ended:
        sys.stderr.write("mlpress: interrupted; nothing was written\n")
        sys.stderr.flush()
        os._exit(ended.code)  # threads may still be at work on what nobody waits for
