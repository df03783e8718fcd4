"""A design's facts as ``design.json`` holds them, made up but of a likely size."""

from __future__ import annotations

from typing import Any

SUPPLIES = {
    1.0: (6.41, 0.31, 13.9),
    0.9: (5.22, 0.25, 15.0),
    0.8: (4.10, 0.20, 16.7),
    0.7: (3.02, 0.15, 19.2),
    0.6: (2.05, 0.11, 23.4),
}
SOURCES = {"Molex": 30.0, "Zinergy": 12.0, "Blue Spark": 3.0, "harvester": 0.1}


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
        "net": {
            "topology": "21-3-3",
            "classes": ["normal", "suspect", "pathologic"],
            "terms": 213,
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
                    "output_bits": [15, 16, 16],
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
            "saturation": [0.0025, 0.0],
            "test": {"rows": 171, "float": 0.9006, "quantised": 0.8947},
        },
        "audit": {
            "ports": 22,
            "adders": {"layer0_neuron0": 171, "layer0_neuron1": 168, "layer0_neuron2": 173},
            "comparators": 2,
            "latches": 0,
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
            "area_cm2": 5.63,
            "cells": 1631,
            "depth": 41,
            "vectors": "398 rows of train.csv",
            "rate_hz": 5.0,
            "voltages": [
                {
                    "voltage": volts,
                    "static_mw": static,
                    "dynamic_mw": dynamic,
                    "total_mw": round(static + dynamic, 4),
                    "critical_path_ms": delay,
                    "energy_uj": round(200 * (static + dynamic), 1),
                    "meets_rate": True,
                    "sources": {name: static + dynamic <= limit for name, limit in SOURCES.items()},
                }
                for volts, (static, dynamic, delay) in SUPPLIES.items()
            ],
            "adc": {"area_cm2": 3.58, "power_mw": 27.2},
        },
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
