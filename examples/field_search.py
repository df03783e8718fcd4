"""What searched tables save: the picture of examples/field.py at half its width, with less than 1 dB of its PSNR lost.

Fits the same field, then searches the bits of its tables, the levels that it needs and layers with weights that are
powers of two, for two metrics: energy, and bytes of grid SRAM.  Losses count on every pixel of the picture.
Writes the fronts and designs into ``build/field-search-*``.  A few minutes on one core.
"""

import sys

from field import FOLDER, fitted, pixels

import mlpress as mp
from mlpress.pipeline.result import with_fronts

METRICS = ("energy", "sram")


def main(steps: int = 500, shrink: int = 4, generations: int = 30) -> None:
    picture, field = fitted(steps, shrink)
    data = pixels(picture)
    given = mp.compile(field, data, target="ngpc:8", precision="float16")
    show("as given", given)
    for metric in METRICS:
        found = mp.search(
            *(field, data), target="ngpc:8", precision="float16", minimise=metric, generations=generations, max_loss=1.0
        )
        design = with_fronts(found.chosen(), found)
        design.save(FOLDER.with_name(f"field-search-{metric}"))
        show(f"least {metric}", design)
        saved = 1 - design.cost[metric] / given.cost[metric]
        how = design.facts["search"]
        print(
            f"  {saved:.1%} less {metric}; tables {how['tables']}, weights {how['layers']}; {found.front.tried} tried"
        )


def show(name: str, design: mp.Design) -> None:
    cost = design.cost
    ratio, kib = design.facts["accuracy"]["quantised"], cost["sram"] / 1024
    print(
        f"{name}: PSNR {ratio:.2f} dB, {cost['energy']:.2f} nJ and {cost['cycles']:.3f} cycles, {kib:.0f} KiB of SRAM"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
