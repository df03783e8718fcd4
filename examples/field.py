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
from mlpress import frontend
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


def main(steps: int = 800) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    full = load_sample_image("china.jpg") / 255
    height, width = full.shape[0] // 2, full.shape[1] // 2
    picture = full[: 2 * height, : 2 * width].reshape(height, 2, width, 2, 3).mean(axis=(1, 3))

    start = fields.application("gia", "hashgrid", size=max(picture.shape))
    field = fit(start, picture_samples(picture), steps=steps)
    fields.save(field, FOLDER / "field.onnx")
    field = frontend.load_field(FOLDER / "field.onnx")

    places, shown = pixel_places(height, width), [picture]
    for name, options in FORMATS.items():
        design = mp.compile(field, target="ngpc:8", **options)
        folder = design.save(FOLDER / name.replace(", ", "-").replace(" ", "-"))
        rendered = Simulator.read(design.files).run(places)
        shown.append(np.clip(rendered, 0, 1).reshape(picture.shape))
        facts = design.facts["cost"]["values"]
        print(
            f"{name}: PSNR {psnr(picture, shown[-1]):.2f} dB, {facts['sram'] / 2**20:.2f} MiB of grid SRAM, "
            f"at least {facts['cycles']:.3f} cycles per pixel (an ideal count), {folder.name}/"
        )
    matplotlib.image.imsave(FOLDER / "picture.png", np.concatenate(shown, axis=1))
    print(f"pictures: {FOLDER / 'picture.png'}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
