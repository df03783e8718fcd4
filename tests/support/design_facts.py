"""A design's facts as ``design.json`` holds them, made up but of a likely size."""

from __future__ import annotations

from typing import Any

SUPPLIES = {
    0.6: (2.05, 0.11, 23.4),
    0.8: (4.10, 0.20, 16.7),
    1.0: (6.41, 0.31, 13.9),
    1.2: (9.02, 0.45, 11.8),
    2.0: (24.4, 7.1, 8.2),
}
LIMITS = {"harvester": 0.1, "blue-spark": 3.0, "zinergy": 12.0, "molex": 30.0}


def design_facts() -> dict[str, Any]:
    """A new copy on every call, for tests that change it."""
    return {
        "format": "mlpress design 1",
        "mlpress": "0.1.0",
        "source": {"model": "model.onnx", "model_sha256": "4f" * 32, "data": "train.csv", "rows": 398},
        "target": "egfet",
        "options": {
            "input_bits": 4,
            "weight_bits": 8,
            "activation_bits": 8,
            "effort": "default",
            "rate_hz": 5.0,
            "seed": 0,
        },
        "cost": {"values": {"area": 5.63, "power": 6.72}, "units": {"area": "cm2", "power": "mW"}, "how": {}},
        "net": {
            "topology": "21-3-3",
            "classes": ["normal", "suspect", "pathologic"],
            "terms": 213,
            "shared_sums": 2,
            "layers": [
                {
                    "neurons": 3,
                    "terms": 183,
                    "sum_bits": [13, 12, 13],
                    "output_bits": [8, 8, 8],
                    "adders": 512,
                    "activation": "qrelu >>5, 8 bits",
                },
                {
                    "neurons": 3,
                    "terms": 30,
                    "sum_bits": [15, 16, 16],
                    "output_bits": [],
                    "adders": 118,
                    "activation": "raw",
                },
            ],
        },
        "accuracy": {
            "float": 0.9045,
            "quantised": 0.8995,
            "agreement": 0.9899,
            "rows": 398,
            "saturation": [0.0025],
            "metric": "accuracy",
            "kept_integers": False,
            "test": {"rows": 171, "float": 0.9006, "quantised": 0.8947},
        },
        "audit": {
            "style": "flat",
            "modules": 1,
            "ports": {"x0": 4, "x1": 4, "y": 2},
            "operators": {"&": 910, "^": 1204, "|": 455},
            "comparators": 2,
            "registers": 0,
            "adders": {
                "h0": {"full_adders": 171, "half_adders": 20, "muxes": 0},
                "h1": {"full_adders": 168, "half_adders": 22, "muxes": 0},
                "d0": {"full_adders": 60, "half_adders": 9, "muxes": 16},
            },
        },
        "synthesis": {
            "effort": "default",
            "seconds": 6.2,
            "yosys": "0.70",
            "cells": {
                "NAND2X1": 812,
                "INVX1": 401,
                "NOR2X1": 233,
                "XOR2X1": 96,
                "OR2X1": 54,
                "AND2X1": 31,
                "XNOR2X1": 4,
            },
        },
        "estimate": {
            "technology": "egfet",
            "top": "top",
            "cells": 1631,
            "cells_by_type": {
                "NAND2X1": 812,
                "INVX1": 401,
                "NOR2X1": 233,
                "XOR2X1": 96,
                "OR2X1": 54,
                "AND2X1": 31,
                "XNOR2X1": 4,
            },
            "area_cm2": 5.63,
            "logic_depth": 41,
            "rate_hz": 5.0,
            "rows": 398,
            "activity": "398 rows of data",
            "nominal_voltage": 1.0,
            "voltages": [
                {
                    "voltage": volts,
                    "critical_path_ms": delay,
                    "meets_rate": True,
                    "static_mw": static,
                    "dynamic_mw": dynamic,
                    "total_mw": round(static + dynamic, 4),
                    "energy_mj": round((static + dynamic) / 5, 4),
                    "power_sources": [name for name, limit in LIMITS.items() if static + dynamic <= limit],
                    "timing": "look-up tables" if volts <= 1 else "two points per arc",
                }
                for volts, (static, dynamic, delay) in SUPPLIES.items()
            ],
            "critical_path": [
                {
                    "instance": "_12_",
                    "cell": "XOR2X1",
                    "input": "A",
                    "output": "Y",
                    "edge": "rise",
                    "net": "n12",
                    "delay_ms": 0.41,
                    "arrival_ms": 0.41,
                },
                {
                    "instance": "_40_",
                    "cell": "NAND2X1",
                    "input": "B",
                    "output": "Y",
                    "edge": "fall",
                    "net": "y[0]",
                    "delay_ms": 0.33,
                    "arrival_ms": 0.74,
                },
            ],
            "adc": {
                "converters": 21,
                "comparators": 336,
                "or_gates": 588,
                "area_cm2": 3.58,
                "power_mw": 27.2,
                "at_volts": 1.0,
            },
            "notes": ["input converters are not counted for x7: over 8 bits is no flash converter"],
        },
        "tools": {"amaranth": "0.5.6", "pyosys": "0.70"},
        "verification": [
            {"engine": "onnxruntime", "rows": 700, "equal": True, "difference": "", "note": ""},
            {"engine": "RTL (Amaranth)", "rows": 700, "equal": True, "difference": "", "note": ""},
            {"engine": "mapped netlist", "rows": 700, "equal": True, "difference": "", "note": ""},
        ],
        "front": [
            {"area_cm2": 0.05, "accuracy": 0.861},
            {"area_cm2": 0.11, "accuracy": 0.874},
            {"area_cm2": 0.43, "accuracy": 0.883, "chosen": True},
            {"area_cm2": 1.9, "accuracy": 0.8905},
            {"area_cm2": 5.63, "accuracy": 0.8947},
        ],
    }
