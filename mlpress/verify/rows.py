"""Every engine runs the same rows, and is compared with the reference interpreter.

All rows of the data, corner rows and random rows run through onnxruntime (on the oracle graph) and every engine of the
target; one difference anywhere names engine, row, neuron and both values.  An engine agrees only where it gave every
value that it should have given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from mlpress import ir
from mlpress.errors import MlpressError, OutOfTimeError
from mlpress.progress import Progress, Silent, counted
from mlpress.verify.probes import RANDOM_ROWS, probe_rows, worth_rows

if TYPE_CHECKING:
    from mlpress.design import Design
    from mlpress.targets import Engine

Values = Mapping[str, NDArray[Any]]
"""What an engine gives for rows: values (rows,) by the name of a neuron or port."""


@dataclass(frozen=True, slots=True)
class EngineResult:
    """What one engine said of ``rows`` rows.

    ``verdict`` is "equal" where all of them, and at least one, equal the reference interpreter in all values; else
    "different", and ``difference`` says where; or "out of time", which says nothing about the rows that were not run.
    An ``optional`` engine is one check more: a design is verified without it.
    """

    engine: str
    rows: int
    difference: str = ""
    note: str = ""
    verdict: Literal["equal", "different", "out of time"] = "equal"
    optional: bool = False

    @classmethod
    def of(
        cls, engine: str, rows: int, difference: str = "", note: str = "", *, optional: bool = False
    ) -> EngineResult:
        """Return the result of an engine that came to its end; where it ran no row, that is a difference."""
        difference = difference or ("" if rows else "it ran no row")
        return cls(engine, rows, difference, note, "different" if difference else "equal", optional)

    @property
    def equal(self) -> bool:
        """All rows agreed."""
        return self.verdict == "equal"

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        facts = asdict(self) | {"equal": self.equal}
        del facts["optional"]
        return facts


def verify(
    design: Design,
    *,
    rows: int | None = None,
    more: NDArray[np.float64] | None = None,
    optional_until: float = inf,
    progress: Progress | None = None,
) -> list[EngineResult]:
    """Run ``design`` in every engine; return one result per engine, equal or with its first difference.

    ``rows`` is the number of random rows (default: two seconds' worth); ``more`` are further rows of features, float64
    (rows, inputs).  An optional engine does not begin where it would not end by the moment ``optional_until`` (of
    :func:`time.monotonic`).  A design that was read from a folder is also held against what its other files say of it.
    """
    progress = progress or Silent()
    program, target, artifact = design.program, design.target, design.artifact
    own = design.rows
    probes = probe_rows(program, rows=worth_rows(program) if rows is None else rows, near=own.codes)
    features = np.concatenate([design.features, probes, *([] if more is None else [more])])
    codes = ir.engine_rows(program, features)
    progress.step(f"verify: reference interpreter on {counted(len(codes), 'row')}")
    expected = _expected(program, codes)
    results = [EngineResult.of("reference interpreter", len(codes))]
    progress.step("verify: onnxruntime")
    results.append(_oracle(design, features, expected))
    seen = {f"output {port}": expected[f"output {port}"] for port in program.ports}
    for engine in target.engines(artifact):
        expected_s = float(getattr(engine, "expected_s", 0.0))
        if engine.optional and monotonic() + expected_s > optional_until:
            note = f"not begun: it takes about {max(expected_s, 1.0):.0f} s, and there is no time left"
            results.append(EngineResult(engine.name, 0, note=note, verdict="out of time", optional=True))
        else:
            results.append(_checked(engine, codes, seen, progress))
    facts = design.facts if "format" in design.facts else {}
    return [*results, *target.inspect(artifact, own, facts, bool(design.hashed), optional_until, progress)]


def require_equal(
    design: Design, *, optional_until: float = inf, progress: Progress | None = None
) -> list[EngineResult]:
    """Run :func:`verify` with few random rows; a difference is an error, a check out of time is noted."""
    progress = progress or Silent()
    results = verify(design, rows=RANDOM_ROWS, optional_until=optional_until, progress=progress)
    for result in results:
        if result.verdict == "different":
            raise MlpressError(f"{result.engine} differs from the reference interpreter: {result.difference}")
        if result.verdict == "out of time":
            progress.note(f"{result.engine} ran out of time after {counted(result.rows, 'row')}: {result.note}")
    return results


def _expected(program: ir.Shipped, codes: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Return the reference interpreter's values by name; equal rows are run once."""
    distinct, back = np.unique(codes, axis=0, return_inverse=True)
    back = back.reshape(-1)
    return {name: values[back] for name, values in ir.named_values(program, distinct).items()}


def _oracle(design: Design, features: NDArray[np.float64], expected: Values) -> EngineResult:
    """Run the oracle graph in onnxruntime and compare."""
    try:
        return _compare("onnxruntime", _onnxruntime(design, features), expected, len(features))
    except OutOfTimeError as error:
        return EngineResult("onnxruntime", 0, note=str(error), verdict="out of time")
    except MlpressError as error:
        return EngineResult.of("onnxruntime", len(features), str(error))


def _checked(engine: Engine, codes: NDArray[Any], expected: Values, progress: Progress) -> EngineResult:
    """Run ``engine`` and compare; where it could not run the design at all, that is a difference.

    An engine that takes few rows gets ones spread evenly, corners and all.
    """
    chosen = np.arange(len(codes))
    if engine.rows is not None and engine.rows < len(codes):
        chosen = np.unique(np.linspace(0, len(codes) - 1, engine.rows).astype(np.int64))
    progress.step(f"verify: {engine.name} on {counted(len(chosen), 'row')}")
    try:
        found = engine.run(codes[chosen])
    except OutOfTimeError as error:
        return EngineResult(engine.name, 0, note=str(error), verdict="out of time", optional=engine.optional)
    except MlpressError as error:
        return EngineResult.of(engine.name, len(chosen), str(error), optional=engine.optional)
    done = min((len(values) for values in found.values()), default=0) if engine.optional else len(chosen)
    wanted = {name: values[chosen[:done]] for name, values in expected.items()}
    short = {name: values[:done] for name, values in found.items()} if engine.optional else found
    result = replace(_compare(engine.name, short, wanted, done, engine.note), optional=engine.optional)
    if done == len(chosen) or (done and not result.equal):
        return result
    note = f"{done} of {counted(len(chosen), 'row')}, which are equal, before time ended"
    return EngineResult(engine.name, done, note=note, verdict="out of time", optional=engine.optional)


def _onnxruntime(design: Design, features: NDArray[np.float64]) -> Values:
    from mlpress.codegen import graph_difference
    from mlpress.sim import Oracle

    if difference := graph_difference(design.oracle, design.program):
        raise MlpressError(f"oracle.onnx was not run: {difference}")
    found = Oracle(design.oracle).run(features)
    if isinstance(design.program, ir.Field):
        return {f"output {port}": found["values"][:, k] for k, port in enumerate(design.program.ports)}
    layers = range(sum(name.startswith("sum_") for name in found))
    outputs = [found[f"out_{k}"] for k in layers]
    named = ir.neuron_values([found[f"sum_{k}"] for k in layers], outputs)
    words = [found["decision"][:, None]] if "decision" in found else [found["words"]] if "words" in found else outputs
    return named | {f"output {port}": words[-1][:, k] for k, port in enumerate(design.program.ports)}


def port_values(
    codes: NDArray[np.int64], ports: Sequence[str], inputs: Sequence[ir.Input] = ()
) -> dict[str, NDArray[np.int64]]:
    """Return the values of each data ``port`` for codes (rows, inputs) of ``inputs``; others, such as ``rst``, are off.

    Without ``inputs``, ``x<k>`` is column k.
    """
    idle = np.zeros(len(codes), np.int64)
    known = ir.port_columns(inputs, codes) if inputs else {ir.port_name(k): codes[:, k] for k in range(codes.shape[1])}
    return {port: known.get(port, idle) for port in ports}


def _compare(engine: str, found: Values, expected: Values, rows: int, note: str = "") -> EngineResult:
    """Compare all values of all rows, no more and no fewer, with the reference interpreter's."""
    for name in {**expected, **found}:
        if name not in found or name not in expected:
            what = "is missing" if name not in found else "is one too many"
            return EngineResult.of(engine, rows, f"{name} {what}", note)
        values = found[name]
        if values.shape != (rows,):
            return EngineResult.of(
                engine, rows, f"{name} has {counted(len(values), 'value')} for {counted(rows, 'row')}", note
            )
        wrong = np.flatnonzero(_bits(values) != _bits(expected[name]))
        if len(wrong):
            row = int(wrong[0])
            difference = f"row {row}, {name}: {values[row].item()!r} instead of {expected[name][row].item()!r}"
            return EngineResult.of(engine, rows, difference, note)
    return EngineResult.of(engine, rows, note=note)


def _bits(values: NDArray[Any]) -> NDArray[Any]:
    """Return the bits of float32 values, so that zeros of either sign differ; any NaN is the same one."""
    if values.dtype != np.float32:
        return values
    return np.where(np.isnan(values), np.float32(np.nan), values).view(np.uint32)
