"""A model's integer network as a file for other tools."""

from __future__ import annotations

import tempfile
from pathlib import Path

from mlpress.codegen import qonnx_net
from mlpress.errors import MlpressError
from mlpress.frontend import Dataset, exact_net, load, quantise
from mlpress.ir import Model, Net

ROUNDS = 3
"""How often a network is written and read before it must come back as it is: clipped thresholds settle at once."""


def convert(
    model: Model, data: Dataset | None = None, *, input_bits: int = 4, weight_bits: int = 8, activation_bits: int = 8
) -> tuple[bytes, Net]:
    """Return the QONNX file of the integer network of ``model``, and the network that is read back from it.

    A model that its trainer quantised keeps its integers; any other needs the rows of ``data`` and bits, as
    :func:`mlpress.frontend.quantise` does.
    """
    if data is None:
        net = exact_net(model)
    else:
        made = quantise(model, data, input_bits=input_bits, weight_bits=weight_bits, activation_bits=activation_bits)
        net = made.net
    for _ in range(ROUNDS):
        content = qonnx_net(net).SerializeToString()
        again = read_back(content, regression=net.scores is not None)
        if again == net:
            return content, net
        net = again
    raise MlpressError("the network does not come back from the file as it was written; this is a fault of mlpress")


def read_back(content: bytes, regression: bool) -> Net:
    """Return the network that a file's ``content`` holds."""
    with tempfile.TemporaryDirectory(prefix="mlpress-") as folder:
        path = Path(folder) / "net.onnx"
        path.write_bytes(content)
        return exact_net(load(path, task="regression" if regression else "auto"))
