"""The stages of a pipeline are found in time that grows with the gates."""

from time import process_time
from types import SimpleNamespace

from mlpress.codegen.verilog.flat import stages_of


def test_stages_are_equal_shares_of_the_longest_chain_found_once() -> None:
    deep = SimpleNamespace(depths=lambda: [1 + k % 100 for k in range(200_000)])
    since = process_time()
    found = stages_of(deep, 4)  # type: ignore[arg-type]
    assert process_time() - since < 5.0
    assert (found[0], found[24], found[25], found[99], found[100]) == (0, 0, 1, 3, 0)
    assert stages_of(SimpleNamespace(depths=list), 2) == []  # type: ignore[arg-type]
