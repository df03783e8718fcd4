"""A picture as a neural field, rendered by a simulated neural-graphics cluster.

Fits a hash-grid field to scikit-learn's sample picture, writes it as ONNX, compiles it for NGPC-8 in three number
formats, and lets the functional simulator compute every pixel.  Writes ``field.onnx``, the design folders and
``picture.png`` (the original, then each rendering) into ``build/field``.  A minute or so on one core.
"""

import sys
from pathlib import Path

import matplotlib.image
import numpy as np
from sklearn.datasets import load_sample_image

import mlpress as mp
from mlpress import frontend, ir
from mlpress.frontend import fields
from mlpress.frontend.fit import fit, picture_samples, pixel_places
from mlpress.pipeline.fields import psnr
from mlpress.sim.ngpc import Simulator

FOLDER = Path(__file__).resolve().parent.parent / "build" / "field"
FORMATS = {
    "float32": {},
    "float16": {"precision": "float16"},
    "float16, int8 tables": {"precision": "float16", "tables": "int8"},
}


def fitted(steps: int, shrink: int) -> tuple[np.ndarray, ir.Field]:
    """Return the picture, shrunk, float64 (height, width, 3), and the field as it comes back from its ONNX file."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    full = load_sample_image("china.jpg") / 255
    height, width = full.shape[0] // shrink, full.shape[1] // shrink
    parts = full[: shrink * height, : shrink * width].reshape(height, shrink, width, shrink, 3)
    picture = parts.mean(axis=(1, 3))
    start = fields.application("gia", "hashgrid", size=max(picture.shape))
    fields.save(fit(start, picture_samples(picture), steps=steps), FOLDER / "field.onnx")
    return picture, frontend.load_field(FOLDER / "field.onnx")


def pixels(picture: np.ndarray) -> frontend.Dataset:
    """Return the places of all pixels with their colours."""
    places = pixel_places(*picture.shape[:2])
    return frontend.Dataset(places.astype(np.float64), picture.reshape(len(places), -1), ("x", "y"))


def main(steps: int = 800, shrink: int = 2) -> None:
    picture, field = fitted(steps, shrink)
    places, shown = pixel_places(*picture.shape[:2]), [picture]
    for name, options in FORMATS.items():
        design = mp.compile(field, pixels(picture), target="ngpc:8", application="gia", **options)
        folder = design.save(FOLDER / name.replace(", ", "-").replace(" ", "-"))
        rendered = Simulator.read(design.files).run(places)
        shown.append(np.clip(rendered, 0, 1).reshape(picture.shape))
        cost, frame = design.cost, design.facts["timing"]["frame"]
        print(
            f"{name}: PSNR {psnr(picture, shown[-1]):.2f} dB, {cost['sram'] / 2**20:.2f} MiB of grid SRAM, "
            f"{cost['cycles']:.3f} cycles and {cost['energy']:.1f} nJ per pixel, a frame of 1920x1080 in "
            f"{frame['frame_ms']:.3g} ms, {frame['speedup']:.3g} times the GPU's pace, {folder.name}/"
        )
    matplotlib.image.imsave(FOLDER / "picture.png", np.concatenate(shown, axis=1))
    print(f"pictures: {FOLDER / 'picture.png'}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
