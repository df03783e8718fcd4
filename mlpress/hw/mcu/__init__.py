"""Microcontrollers as data: cores with cycle tables and compilers' flags, parts to buy; figures have sources."""

from mlpress.hw.mcu.core import Core, Part, cores, fitting, parts, read_core

__all__ = ["Core", "Part", "cores", "fitting", "parts", "read_core"]
