"""The synthesis efforts side by side: area and seconds of the exact circuits of the literature's networks."""

from time import perf_counter
from typing import Any

from exact import best_model
from support import TOPOLOGIES, arguments, protocol, show

from mlpress import codegen, from_sklearn, ir, quantise
from mlpress.hw import printed

EFFORTS = ("fast", "default", "thorough")


def main() -> None:
    """Print the table."""
    options = arguments(str(__doc__)).parse_args()
    technology = printed.load_technology("egfet")
    rows: list[dict[str, Any]] = []
    for name in options.only:
        train, _, scaler = protocol(options.data, name)
        model, _ = best_model(train, TOPOLOGIES[name][1], scaler)
        text = codegen.to_verilog(ir.lower_net(quantise(from_sklearn(model), train).net))
        row: dict[str, Any] = {"dataset": name}
        for effort in EFFORTS:
            since = perf_counter()
            row[f"{effort}_cm2"] = printed.synthesise(text, "top", technology, effort=effort).area_um2 * 1e-8
            row[f"{effort}_s"] = perf_counter() - since
        rows.append(row)
    show("Synthesis efforts, EGFET at 1.0 V", rows, options.json)


if __name__ == "__main__":
    main()
