"""How large a program may be.  Program files are untrusted: these bounds keep their reading and running finite."""

from __future__ import annotations

MAX_INPUTS = 1 << 14
MAX_LAYERS = 64
MAX_NEURONS = 1 << 14  # of one layer
MAX_TERMS = 1 << 22  # of a whole net
MAX_WEIGHTS = 1 << 23  # of a whole model
MAX_LEVELS = 1 << 20  # of a whole net, kept input levels and ladder thresholds each
MAX_THRESHOLDS = (1 << 16) - 1  # of one ladder
MAX_ANDS = 1 << 20  # of a circuit
MAX_WORD = 64  # bits of one score of a circuit
MAX_CLASSES = 1 << 14
MAX_NAME = 256  # characters of a feature's or a class's name
MAX_TEXT = 1 << 28  # characters of a program's text form
MAX_LINE = 1 << 23  # characters of one line of it

INPUT_BITS = 16
UNARY_LEVELS = 255  # of a unary input: a comparator each
ACTIVATION_BITS = 24
MAX_SHIFT = 63
SUM_LIMIT = 1 << 62  # sums stay below it in magnitude, so a difference of two sums fits in int64 as well
INT64_LOW, INT64_HIGH = -(1 << 63), (1 << 63) - 1

MAX_DIMENSIONS = 4  # of a grid encoding
MAX_GRID_LEVELS = 64
MAX_FEATURES_PER_LEVEL = 16
MAX_ENTRIES = 1 << 24  # of one table
MAX_TABLE_VALUES = 3 << 24  # of a whole field: 192 MiB of float32
MAX_RESOLUTION = 1 << 20
MAX_OCTAVES = 16
MAX_WAVES = 64  # dimensions of a frequency encoding
MAX_NODES = 64  # of a field
