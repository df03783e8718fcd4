"""Fields as ONNX graphs: calls of the functions of :mod:`~mlpress.codegen.oracle.field_functions`, and their tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from mlpress.codegen.oracle.field_functions import (
    FIELD_DOMAIN,
    IR_VERSION,
    OPSET,
    encoding_attributes,
    encoding_function,
    layer_attributes,
    layer_function,
)
from mlpress.ir import Encode, Encoding, Field, Grid, Network, Product, Span, Spherical

INPUT, OUTPUT = "features", "values"


class _Writer:
    def __init__(self, field: Field) -> None:
        self.field = field
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.functions: dict[str, Any] = {}
        self._names: dict[str, str] = {}

    def constant(self, name: str, array: Any) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def call(self, family: str, attributes: dict[str, Any], made: Any, inputs: Sequence[str], output: str) -> None:
        """Call the function of ``family`` with these attributes, which ``made(name)`` writes where it is new."""
        key = f"{family} {json.dumps(attributes)}"
        if key not in self._names:
            count = sum(known.startswith(f"{family} ") for known in self._names)
            self._names[key] = family if not count else f"{family}_{count + 1}"
            self.functions[self._names[key]] = made(self._names[key])
        self.nodes.append(helper.make_node(self._names[key], list(inputs), [output], domain=FIELD_DOMAIN, **attributes))

    def columns(self, spans: Sequence[Span], output: str) -> str:
        """Write the columns of ``spans``, joined, as ``output``, or name the value that they are."""
        found = []
        for k, span in enumerate(spans):
            value = INPUT if span.value == 0 else f"v{span.value}"
            if span.width == self.field.widths[span.value]:
                found.append(value)
                continue
            names = [f"{output}_{k}_{what}" for what in ("start", "stop", "axis")]
            for name, number in zip(names, (span.start, span.stop, 1), strict=True):
                self.constant(name, np.array([number], np.int64))
            found.append(f"{output}_{k}")
            self.nodes.append(helper.make_node("Slice", [value, *names], [f"{output}_{k}"]))
        if len(found) == 1:
            return found[0]
        self.nodes.append(helper.make_node("Concat", found, [output], axis=1))
        return output

    def encode(self, source: str, encoding: Encoding, output: str) -> None:
        tables = []
        if isinstance(encoding, Grid):
            tables = [self.constant(f"{output}_table{k}", level.table) for k, level in enumerate(encoding.levels)]
        family = {Grid: "GridEncode", Spherical: "SphericalHarmonics"}.get(type(encoding), "FrequencyEncode")
        precision = self.field.precision
        self.call(
            family,
            encoding_attributes(encoding, precision),
            lambda name: encoding_function(encoding, precision, name),
            [source, *tables],
            output,
        )

    def layer(self, source: str, layer: Product, name: str, output: str) -> None:
        precision = self.field.precision
        stored = np.float16 if precision == "float16" else np.float32
        weight = self.constant(f"{name}_weight", layer.weight.T.astype(stored))
        self.call(
            "Dense",
            layer_attributes(layer, precision),
            lambda called: layer_function(layer, precision, called),
            [source, weight],
            output,
        )


def onnx_field(field: Field) -> onnx.ModelProto:
    """Write a verified ``field`` as a graph: ``features`` float32 (rows, inputs) in, ``values`` (rows, outputs) out.

    The names of the columns are in its metadata.
    """
    writer = _Writer(field)
    for k, node in enumerate(field.nodes):
        output = f"v{k + 1}"
        source = writer.columns(node.source, f"{output}_source")
        match node:
            case Encode(encoding=encoding):
                writer.encode(source, encoding, output)
            case Network(layers=layers):
                for j, layer in enumerate(layers):
                    target = output if j == len(layers) - 1 else f"{output}_layer{j}"
                    writer.layer(source, layer, f"{output}_layer{j}", target)
                    source = target
    result = writer.columns(field.results, "results")
    writer.nodes.append(helper.make_node("Identity", [result], [OUTPUT]))
    sizes = {INPUT: len(field.inputs), OUTPUT: len(field.outputs)}
    ends = {
        name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", size]) for name, size in sizes.items()
    }
    graph = helper.make_graph(writer.nodes, "field", [ends[INPUT]], [ends[OUTPUT]], writer.constants)
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(FIELD_DOMAIN, 1)],
        ir_version=IR_VERSION,
        producer_name="mlpress",
        functions=list(writer.functions.values()),
    )
    helper.set_model_props(
        model,
        {
            "kind": "field",
            "inputs": json.dumps(field.inputs, ensure_ascii=False),
            "outputs": json.dumps(field.outputs, ensure_ascii=False),
        },
    )
    onnx.checker.check_model(model)
    return model
