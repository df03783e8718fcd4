"""Firmware for a serial line: a main for a generated model, for a board that brings a few functions (``board.h``)."""

from mlpress.codegen.c.firmware.generate import (
    LARGEST_ROW,
    PROTOCOLS,
    VERSION,
    Protocol,
    firmware_files,
    model_hash,
    row_bytes,
)

__all__ = ["LARGEST_ROW", "PROTOCOLS", "VERSION", "Protocol", "firmware_files", "model_hash", "row_bytes"]
