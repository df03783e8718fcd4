"""From a model to a design: one list of steps, read from top to bottom."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpress import __version__, ir, suspicions
from mlpress.design import FORMAT, Design, cells_of
from mlpress.errors import MlpressError
from mlpress.preparation import prepare
from mlpress.progress import Progress, Silent, recorded

if TYPE_CHECKING:
    from mlpress.approx import ApproximatePass
    from mlpress.frontend import Dataset
    from mlpress.hw import Estimate, Feed, Netlist

TOOLS = ("amaranth", "numpy", "onnx", "onnxruntime", "pyosys", "pyverilog", "scikit-learn")

START_S, TERM_S, LONG_S = 5.0, 0.007, 30.0
"""Processor time of a compile at the default effort: seconds at any size, and for each term of the net (from one size
of `benchmarks/scale.py` so far, 64-32-10: 41 s at 5,234 terms); and from how many seconds on a user is told.
"""


BETWEEN_COLLECTIONS = 1_000_000


@dataclass(frozen=True, slots=True)
class Options:
    """What a user may choose; ``design.json`` keeps it whole."""

    target: str = "egfet"
    liberty: Path | None = None
    input_bits: int = 4
    weight_bits: int = 8
    activation_bits: int = 8
    effort: str = "default"
    rate_hz: float = 5.0
    style: str = "flat"
    registered: bool = False


def compile(  # noqa: A001 - the verb of the trade
    model: ir.Model,
    dataset: Dataset,
    *,
    passes: Sequence[ApproximatePass] = (),
    test: Dataset | None = None,
    features: Sequence[str] | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Design:
    """Compile ``model`` exactly: quantise it on ``dataset`` and press the integer network into a circuit.

    ``passes`` approximate the integer network first, in turn.  ``options`` are the fields of :class:`Options`; ``test``
    rows only state an accuracy; ``features`` names the columns in the order that the model expects.  Raises
    :class:`MlpressError` for bad options, and where any engine disagrees with the reference interpreter.
    """
    return compile_model(
        model, dataset, Options(**options), passes=passes, test=test, features=features, progress=progress
    )


def compile_model(
    model: ir.Model,
    dataset: Dataset,
    options: Options,
    *,
    passes: Sequence[ApproximatePass] = (),
    test: Dataset | None = None,
    features: Sequence[str] | None = None,
    source: dict[str, Any] | None = None,
    progress: Progress | None = None,
) -> Design:
    """:func:`compile` with the options in one piece; ``source`` says where the model came from."""
    progress, warnings = recorded(progress or Silent())
    check_options(options)
    progress.step("quantise")
    prepared = prepare(model, dataset, options, test=test, features=features, source=source)
    net, rows = prepared.quantised.net, prepared.rows
    if passes:
        from mlpress.approx import apply

        progress.step("approximate")
        net = apply(net, passes)
    prepared.say(progress)
    accuracy = prepared.accuracy(net)
    for text in suspicions.of_loss(accuracy, approximated=bool(passes)) + suspicions.of_test(accuracy):
        progress.warn(text)
    design = press(net, rows.features, rows.labels, options, progress=progress)
    facts = {
        "source": dict(prepared.source),
        "accuracy": accuracy,
        "passes": [{"name": step.name, "options": asdict(step)} for step in passes],
        "warnings": warnings,
    }
    return design.with_facts(design.facts | facts)


def check_options(options: Options) -> None:
    """Raise :class:`MlpressError` for an unknown technology, effort or style, or an impossible rate."""
    from mlpress import codegen, hw

    cells_of(options.target, options.liberty)
    hw.check_effort(options.effort)
    hw.check_rate(options.rate_hz)
    codegen.check_style(options.style)


def expected_seconds(net: ir.Net) -> float:
    """Tell how long :func:`press` will take at the default effort: seconds of processor time."""
    return START_S + TERM_S * sum(len(neuron.terms) for layer in net.layers for neuron in layer.neurons)


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Within, cycles are looked for after every :data:`BETWEEN_COLLECTIONS` objects, not every 700.

    Gates and cells are millions of small objects without a cycle: looking through them took half of the time to read a
    netlist of 135,000 cells.
    """
    before = gc.get_threshold()
    gc.set_threshold(BETWEEN_COLLECTIONS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@_rare_collections()
def press(
    program: ir.Net | ir.Circuit,
    features: Any,
    labels: Any,
    options: Options,
    *,
    netlist: str | None = None,
    progress: Progress | None = None,
) -> Design:
    """The design of an integer network or a circuit: described, audited, synthesised, verified and estimated.

    ``netlist`` is a mapping of the same circuit that is known already: it is taken where synthesis finds no smaller.
    """
    from mlpress import codegen, hw
    from mlpress.verification import port_values, require_equal

    progress = progress or Silent()
    technology = cells_of(options.target, options.liberty)
    ir.verify(program)
    codes = ir.encode(program, features)

    if isinstance(program, ir.Net) and (expected := expected_seconds(program)) > LONG_S:
        progress.note(f"this is a large network: about {expected:.0f} s of processor time at the default effort")
    progress.step("plan the arithmetic")
    lowered = program if isinstance(program, ir.Circuit) else ir.lower_net(program)

    progress.step("describe it in Verilog")
    verilog = codegen.verilog(lowered, style=options.style, registered=options.registered)
    testbench = codegen.testbench(lowered, codes, registered=options.registered)

    progress.step("audit the Verilog")
    audit = codegen.audit(verilog, lowered, registered=options.registered)

    progress.step(f"synthesise ({options.effort})")
    own = None if netlist is None else hw.parse_netlist(netlist, "top")

    def told(done: int, of: int) -> None:
        progress.step(f"synthesise ({options.effort}): {100 * done // of} %")

    synthesis = hw.synthesise(verilog, "top", technology, effort=options.effort, own=own, told=told)

    design = Design(
        program=program,
        facts={"options": asdict(options)},
        verilog=verilog,
        testbench=testbench.text,
        netlist=synthesis.verilog,
        oracle=codegen.oracle(program),
        features=np.asarray(features, np.float64),
        labels=np.asarray(labels),
    )

    progress.step("verify in every engine")
    results = require_equal(design, technology, lowered=lowered, progress=progress)

    progress.step("estimate area, timing and power")
    mapped = hw.PackedNetlist(synthesis.netlist, technology)
    vectors = port_values(codes, [port.name for port in mapped.inputs])
    cost = hw.estimate(mapped, technology, vectors, options.rate_hz, converters=_converters(program.inputs))
    return design.with_facts(
        {
            "format": FORMAT,
            "mlpress": __version__,
            "target": options.target,
            "options": asdict(options) | {"liberty": None if options.liberty is None else options.liberty.name},
            **_program_facts(lowered),
            "audit": audit.to_json(),
            "synthesis": synthesis.to_json(),
            "estimate": cost.to_json(),
            "verification": [result.to_json() for result in results],
            "tools": {tool: _version(tool) for tool in TOOLS},
        }
    )


def estimate_verilog(
    files: Sequence[Path],
    *,
    top: str | None = None,
    target_name: str = "egfet",
    liberty: Path | None = None,
    mapped: bool = False,
    vectors: Path | None = None,
    with_adc: bool = False,
    effort: str = "default",
    rate_hz: float = 5.0,
    progress: Progress | None = None,
) -> Estimate:
    """Estimate any Verilog: ours or not, RTL or (``mapped``) a netlist of the technology's own cells.

    ``with_adc`` counts a flash converter for each input port, or for each column of ``vectors`` that names bits of a
    port, as far as the netlist reads them.
    """
    from mlpress import hw
    from mlpress.yosys import read_sources

    progress = progress or Silent()
    technology = cells_of(target_name, liberty)
    notes: tuple[str, ...] = ()
    if mapped:
        progress.step("read the netlist")
        netlist = _mapped(files, top)
    else:
        progress.step(f"synthesise ({effort})")
        synthesis = hw.synthesise(read_sources(*files), top, technology, effort=effort)
        netlist, notes = synthesis.netlist, synthesis.notes
    rows = None if vectors is None else hw.read_vectors(vectors, netlist)
    features = () if rows is None else rows.features
    converters = hw.full_converters(netlist, technology, features) if with_adc else []
    progress.step("estimate area, timing and power")
    found = hw.estimate(netlist, technology, None if rows is None else rows.ports, rate_hz, converters=converters)
    return replace(found, notes=(*notes, *found.notes))


def target_facts() -> list[dict[str, Any]]:
    """Name, title, voltages and number of cells of every technology."""
    from mlpress import hw

    found = []
    for name in hw.technologies():
        technology = hw.load_technology(name)
        found.append(
            {
                "name": name,
                "title": technology.title,
                "nominal": technology.nominal,
                "voltages": list(technology.voltages),
                "cells": len(technology.cells),
            }
        )
    return found


def net_facts(lowered: ir.Lowered) -> dict[str, Any]:
    """What the integer network is, for the report."""
    net = lowered.net
    layers = []
    for layer, found in zip(net.layers, ir.intervals(net), strict=True):
        outputs = [ir.output_bits(neuron.activation) for neuron in layer.neurons]
        layers.append(
            {
                "neurons": len(layer.neurons),
                "terms": sum(len(neuron.terms) for neuron in layer.neurons),
                "sum_bits": [ir.signed_bits(*interval) for interval in found.sums],
                "output_bits": [bits for bits in outputs if bits is not None],
            }
        )
    return {
        "topology": "-".join(str(n) for n in (len(net.inputs), *(layer["neurons"] for layer in layers))),
        "classes": list(net.classes),
        "terms": sum(layer["terms"] for layer in layers),
        "shared_sums": sum("shared" in value.name for value in lowered.plan.sums),
        "layers": layers,
    }


def source_facts(model: Path, data: str) -> dict[str, Any]:
    """Where a model and its rows came from; names only, no paths."""
    return {
        "model": model.name,
        "model_sha256": hashlib.sha256(model.read_bytes()).hexdigest(),
        "data": Path(data).name,
    }


def _program_facts(program: ir.Lowered | ir.Circuit) -> dict[str, Any]:
    if isinstance(program, ir.Lowered):
        return {"net": net_facts(program)}
    facts = {
        "inputs": len(program.inputs),
        "input_bits": program.input_bits,
        "classes": list(program.classes),
        "and_gates": len(program.ands),
        "depth": program.depth(),
    }
    return {"circuit": facts}


def _converters(inputs: Sequence[ir.Input]) -> list[Feed]:
    """The converter in front of each port ``x0, x1, ...``."""
    from mlpress.hw import Converter, Feed

    converters = (Converter(bits=feature.bits, levels=feature.levels) for feature in inputs)
    return [Feed(f"x{k}", converter) for k, converter in enumerate(converters)]


def _mapped(files: Sequence[Path], top: str | None) -> Netlist:
    from mlpress import hw

    if len(files) != 1:
        raise MlpressError("--mapped takes one netlist file; join the files first")
    return hw.read_netlist(files[0], top)


def _version(tool: str) -> str | None:
    try:
        return version(tool)
    except PackageNotFoundError:
        return None
