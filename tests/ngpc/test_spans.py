"""Grids are encoded for many batches at once: neither spans nor the packing of tables change a bit."""

import numpy as np
import pytest
from support.fields import bits, one_grid, samples

from mlpress import ir
from mlpress.codegen import ngpc
from mlpress.frontend import fields
from mlpress.hw.ngpc import read_cluster
from mlpress.sim.ngpc import Simulator, functional, kernels


def test_spans_shorter_than_the_samples_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    field = one_grid("hash", 2)
    rows = samples(field)
    image = ngpc.lower_field(field, read_cluster("ngpc:8"), batch=16)
    spans = []
    early = Simulator._encode_early

    def counted(self: Simulator, part: ir.Singles, out: ir.Singles) -> None:
        spans.append(len(part))
        early(self, part, out)

    monkeypatch.setattr(Simulator, "_encode_early", counted)
    monkeypatch.setattr(functional, "SPAN_BYTES", 1)
    found = Simulator(image, workers=1).run(rows)
    assert max(spans) == 16 < len(rows) == sum(spans)
    np.testing.assert_array_equal(bits(found), bits(ir.interpret_field(field, rows)))


@pytest.mark.parametrize(("features", "widths"), [(1, [2]), (3, [4]), (9, [8, 2])])
def test_tables_are_packed_in_whole_words(features: int, widths: list[int]) -> None:
    rng = np.random.default_rng(features)
    table = rng.uniform(-1, 1, (48, features)).astype(np.float32)
    assert [len(part.width) for part in kernels.pack(table)] == widths
    level = ir.GridLevel(6.5, 8, True, 32, 1.0, table)
    field = fields.field_of(ir.Grid(2, (level, level)), (9,), ("value",), rng=rng)
    rows = samples(field)
    found = Simulator(ngpc.lower_field(field, read_cluster("ngpc:8"))).run(rows)
    np.testing.assert_array_equal(bits(found), bits(ir.interpret_field(field, rows)))
