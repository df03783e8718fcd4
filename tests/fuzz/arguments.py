"""Words on the command line, for every command and every kind of target: options, values and places of anybody.

A case is a JSON list of words.  What would take long is cut short: nothing is built, searched for or run by a tool.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
import json
import os
import pkgutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any, NoReturn
from unittest import mock

import typer
from fuzz.kind import Kind
from fuzz.text import NUMBERS, WORDS, mutate_text

import mlpress
from mlpress import cli
from mlpress.errors import MlpressError

FOLDERS = Path(__file__).parents[1] / "folders"
FILES = ("net.onnx", "field.onnx", "rows.csv", "design", "top.v")
"""What is there in the folder that commands run in; no command writes to another."""
COMMANDS = (
    "compile net.onnx --data rows.csv -o out -t egfet --effort fast --rate 5 -O with_adc=true --style flat",
    "compile net.onnx --data rows.csv -t cnt-tft --registered --approx multiply:terms=2 --input-bits 4",
    "compile net.onnx --data rows.csv -t cortex-m0plus -O shape=auto -O goal=cycles -O accumulators=2 -O prefix=net",
    "compile net.onnx --data rows.csv -t rv32ec -O skip_zeros=true -O most_cycles=100 --package arduino --json",
    "compile net.onnx --data rows.csv -t ecp5-25k -O stages=2 -O place=false -O seed=3 --weight-bits 6",
    "compile net.onnx --data rows.csv -t ice40-up5k -O place=false --label 4 --features a,b,c --task classification",
    "compile field.onnx -t ngpc:8 -O precision=float16 -O tables=fit8 -O placement=sram -O batch=64 -O processors=3",
    "compile field.onnx -t ngpc:64 -O mode=paper -O application=nerf --strict",
    "search net.onnx --data rows.csv -o out --max-loss 0.02 --max area=5 --minimise power --budget 5s --levels 3",
    "search net.onnx --data rows.csv --level gates --start tree --cuts mdl --interface unary --rounds 2 --seed 1",
    "search net.onnx --data rows.csv -t cortex-m4f --max flash=1024 --generations 3 --workers 1 --resume",
    "search net.onnx --data rows.csv --with-adc --offset-sigma 0.1 --defect-rate 0.1 --copies 9 --power-source molex",
    "search field.onnx --data rows.csv -t ngpc:16 -O tables=int8 --minimise energy --generations 2 --power-weight 0.5",
    "sweep net.onnx --data rows.csv -o out -t egfet,rv32imc --input-bits 2,3 --weight-bits 4 --activation-bits 8",
    "estimate top.v -t egfet --top top --vectors rows.csv --mapped --rate 20",
    "convert net.onnx -o out.onnx --data rows.csv --label label --weight-bits 4",
    "verify design --data rows.csv --label 1 --formal --time-limit 1s --json",
    "run design --device rtl --data rows.csv --sensor adc:bits=6 --sensor noise:sigma=0.02 --seed 4 --rate 9",
    "run design --device serial:none@9600 --log out.csv --vcd out.vcd",
    "report design design -o out.html --quiet",
    "pick design --design 1 -o out",
    "firmware design -o out --protocol mlperf",
    "targets --fits design --json",
    "targets",
    "--version",
)


@functools.cache
def seeds() -> Sequence[bytes]:
    return tuple(json.dumps(command.split()).encode() for command in COMMANDS)


def mutate(rng: Random, data: bytes, other: bytes) -> bytes:
    """Change, drop, double or swap words, take options of another command, or change what is inside of a word."""
    words, more = json.loads(data), json.loads(other)
    for _ in range(rng.choice((1, 1, 2, 3))):
        at = rng.randrange(len(words) + 1)
        match rng.randrange(8):
            case 0:
                del words[at : at + 1]
            case 1:
                words[at : at + 1] = [rng.choice((*WORDS, *NUMBERS, *FILES, "d" * 5000))]
            case 2:
                words[at:at] = rng.choices(more, k=rng.randrange(3)) if more else []
            case 3:
                places = [k for k, word in enumerate(words) if "=" in word]
                if places:
                    k = rng.choice(places)
                    name, _, value = words[k].partition("=")
                    words[k] = rng.choice(
                        (f"{name}={rng.choice((*NUMBERS, *WORDS, 'true'))}", f"x={value}", name, value)
                    )
            case 4:
                options = [k for k, word in enumerate(words[:-1]) if word.startswith("-")]
                if options:
                    words[rng.choice(options) + 1] = rng.choice((*NUMBERS, *WORDS))
            case 5:
                words[at:at] = words[at : at + 2]
            case _ if words:
                k = rng.randrange(len(words))
                words[k] = mutate_text(rng, words[k].encode(), b"a=1").decode("utf-8", "replace")
            case _:
                pass
    return json.dumps([word.replace("\0", "") for word in words]).encode()


@functools.cache
def _commands() -> Any:
    """The command line, put together once."""
    return typer.main.get_command(cli.app)


@functools.cache
def _load_all() -> None:
    """Load every module, so that none takes over what stands in its place for a moment."""
    for found in pkgutil.walk_packages(mlpress.__path__, "mlpress."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)


@contextlib.contextmanager
def _cut_short() -> Iterator[None]:
    """Have what takes long end in one line."""

    def ends(*_: object, **__: object) -> NoReturn:
        raise MlpressError("far enough")

    places = (
        *("mlpress.pipeline.compile.build_design", "mlpress.pipeline.search._compiling_s"),
        *("mlpress.approx.search_fields", "mlpress.yosys.child.run_child", "mlpress.sim.rtl.run_child"),
        *("mlpress.hw.fpga.routing.run_child", "mlpress.pipeline.run.stream", "mlpress.targets.fitting"),
        *("mlpress.sim.mcu.host.subprocess.run", "mlpress.pipeline.pick.build_design"),
    )
    _load_all()
    with contextlib.ExitStack() as stack:
        for place in places:
            stack.enter_context(mock.patch(place, ends))
        stack.enter_context(mock.patch("mlpress.cli.app", _commands()))
        stack.enter_context(mock.patch("mlpress.verify.rows.worth_rows", lambda program: 8))
        yield


def _place(folder: Path) -> Path:
    """Return a folder with :data:`FILES`, so deep that ``../x`` is still within ``folder``."""
    place = folder / "a" / "b"
    if not place.exists():
        from fuzz import onnx_files

        place.mkdir(parents=True)
        *nets, field = onnx_files.seeds()
        (place / "net.onnx").write_bytes(nets[0])
        (place / "field.onnx").write_bytes(field)
        (place / "rows.csv").write_text("a,b,c,label\n" + "".join(f"{k},{k * 7 % 5},1.5,{k % 2}\n" for k in range(12)))
        (place / "design").symlink_to(FOLDERS / "printed-2")
        (place / "top.v").write_text((FOLDERS / "printed-2" / "top.v").read_text())
    return place


def read(case: bytes, folder: Path) -> None:
    """Run a command; one line and exit code 2 is a refusal, and so is what the parser of options says."""
    words, said, before = json.loads(case), io.StringIO(), Path.cwd()
    os.chdir(_place(folder))
    try:
        with _cut_short(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
            cli.main(words)
    except SystemExit as ended:
        text = said.getvalue()
        assert ended.code in (None, 0, 1, 2, 3), f"exit code {ended.code}"
        assert "Traceback" not in text, text
        if ended.code == 2:
            lines = [line for line in text.splitlines() if line.startswith("mlpress: ")]
            assert text.startswith(("Usage: ", "Error: ")) or len(lines) == 1, text
            raise MlpressError(lines[0] if lines else text.splitlines()[-1]) from None
    finally:
        os.chdir(before)


KIND = Kind("arguments", seeds, mutate, read, share=4)
