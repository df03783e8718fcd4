"""Is the cost model's area the synthesised one?  Spearman's rank correlation over designs that span each front.

A short search on every data set; of its front up to 60 designs, evenly spread, are synthesised.  ``--fit`` then
prints the model's factors as least squares of the relative error would set them.
"""

from typing import Any

import numpy as np
from scipy.optimize import nnls
from scipy.stats import spearmanr
from support import TOPOLOGIES, arguments, coded, show

from mlpress import approx, codegen, ir
from mlpress.hw import printed
from mlpress.targets import Printed
from mlpress.targets.printed_prices import gate_area

DESIGNS = 60
GENERATIONS = 12
SEARCHES = 8
EFFORT = approx.Effort(size=160, offspring=64)


def designs(name: str, options: Any, target: Printed) -> tuple[approx.IntegerFront, list[approx.Candidate]]:
    """A front, and up to 60 designs of the fronts of a few short searches, evenly spread from small to large."""
    train, _ = coded(options.data, name)
    inputs = tuple(ir.Input(feature, 4, 1.0, 0.0) for feature in train.names)
    shape = approx.dense(inputs, TOPOLOGIES[name][1:-1], train.classes)
    start = approx.train(train.features.astype(np.int64), train.labels, shape, approx.Training(TOPOLOGIES[name][1:-1]))
    found: dict[ir.Net, approx.Candidate] = {}
    for seed in range(SEARCHES):
        budget = approx.Budget(generations=GENERATIONS)
        front = approx.search(
            start,
            train.features,
            train.labels,
            target.cost_model,
            target.metrics,
            budget,
            effort=EFFORT,
            trainings=8,
            seed=seed,
        )
        found |= {front.net(design): design for design in front.designs}
        if len(found) >= DESIGNS:
            break
    every = sorted(found.values(), key=lambda design: (design.model["area"], design.genes))
    picks = np.unique(np.linspace(0, len(every) - 1, DESIGNS).round().astype(int))
    return front, [every[k] for k in picks]


def measure(name: str, options: Any, target: Printed) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
    """A row of the table; parts (designs, parts) and areas in cm2 (designs,)."""
    front, chosen = designs(name, options, target)
    space = front.space()
    vectors = space.vectors(np.array([design.genes for design in chosen]))
    model = target.cost_model(space.layout)
    areas = []
    for design in chosen:
        text = codegen.to_verilog(ir.lower_net(front.net(design)))
        areas.append(printed.synthesise(text, "top", target.cells(), effort=options.effort).area_um2 * 1e-8)
    real, modelled = np.array(areas), model.cost(vectors)
    large = real > 0.01
    row = {
        "dataset": name,
        "designs": len(chosen),
        "smallest_cm2": real.min(),
        "largest_cm2": real.max(),
        "spearman": float(spearmanr(real, modelled).statistic),
        "model_to_real": float(np.median(modelled[large] / real[large])),
    }
    return row, model.parts(vectors)[:, : len(approx.PARTS)], real


def main() -> None:
    """Print the table."""
    parser = arguments(str(__doc__).splitlines()[0])
    parser.add_argument("--effort", default="fast", help="synthesis effort")
    parser.add_argument("--target", default="egfet", choices=printed.technologies(), help="technology")
    parser.add_argument("--fit", action="store_true", help="print the factors that fit best")
    options = parser.parse_args()
    target = Printed(options.target)
    found = [measure(name, options, target) for name in options.only]
    show(
        f"The cost model against synthesis ({options.effort}, {options.target})",
        [row for row, _, _ in found],
        options.json,
    )
    if options.fit:
        parts = np.concatenate([counts for _, counts, _ in found]).astype(float)
        gates = np.concatenate([real for _, _, real in found]) / gate_area(target.cells())
        weight = 1 / (gates + 15)
        factors, _ = nnls(parts * weight[:, None], gates * weight)
        print({part: round(float(factor), 2) for part, factor in zip(approx.PARTS, factors, strict=True)})


if __name__ == "__main__":
    main()
