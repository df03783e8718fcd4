"""Models of DesignWare parts that published printed classifiers instantiate, written here from their documented
function ("DesignWare Building Block IP" data sheets): names of modules, ports and parameters are the vendor's."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib import resources

PARTS = (
    *("DW01_satrnd", "DW01_add", "DW01_sub", "DW01_addsub", "DW01_inc", "DW01_dec", "DW01_cmp2", "DW01_cmp6"),
    *("DW01_absval", "DW02_mult", "DW02_sum"),
)
"""The parts that there is a model of, one file each."""


def models_of(parts: Collection[str]) -> Mapping[str, str]:
    """Return the models of these parts: file name -> Verilog text."""
    folder = resources.files(__package__)
    return {f"{part}.v": (folder / f"{part}.v").read_text() for part in PARTS if part in parts}
