"""The main job on real input: train a small classifier, press it, show what the circuit costs.

Run by `make demo`.  Breast-cancer rows that ship with scikit-learn, a 30-4-1 network trained by
scikit-learn and exported to ONNX by skl2onnx, then the same command line that you would type.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
from skl2onnx import to_onnx
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

FOLDER = Path(__file__).resolve().parent.parent / "build" / "demo"


def write_rows(path: Path, features: np.ndarray, labels: np.ndarray) -> None:
    """One CSV row a sample, the label last."""
    header = ",".join([*(f"f{i}" for i in range(features.shape[1])), "label"])
    np.savetxt(path, np.column_stack([features, labels]), delimiter=",", header=header, comments="", fmt="%.17g")


def main() -> int:
    """Train, export, compile, search; the exit code is that of the last `mlpress`."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    features, labels = load_breast_cancer(return_X_y=True)
    features = features.astype(np.float32)
    train, test, train_labels, test_labels = train_test_split(features, labels, test_size=0.3, random_state=0)
    classifier = make_pipeline(MinMaxScaler(), MLPClassifier((4,), alpha=0.01, max_iter=3000, random_state=0))
    classifier.fit(train, train_labels)

    (FOLDER / "model.onnx").write_bytes(to_onnx(classifier, train[:1]).SerializeToString())
    write_rows(FOLDER / "train.csv", train, train_labels)
    write_rows(FOLDER / "test.csv", test, test_labels)

    rows = ["--data", "train.csv"]
    exact = run(["mlpress", "compile", "model.onnx", *rows, "--test", "test.csv", "-o", "exact"])
    # What a little accuracy buys: the smallest design that a short search finds.  The loss counts from the model's own
    # accuracy on rows that it was trained on, designs are judged on rows that they have not seen.
    limits = ["--max-loss", "0.03", "--generations", "12", "--rounds", "8"]
    smaller = exact or run(["mlpress", "search", "model.onnx", *rows, "--test", "test.csv", *limits, "-o", "small"])
    if not smaller:
        print(f"reports: {FOLDER / 'exact' / 'report.html'} and {FOLDER / 'small' / 'report.html'}")
    return smaller


def run(command: list[str]) -> int:
    """Show the command as a user would type it, run it, and return its exit code."""
    print(f"$ {' '.join(command)}", flush=True)
    return subprocess.run([sys.executable, "-m", *command], cwd=FOLDER, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
