"""From a scikit-learn classifier to a verified printed circuit, in a few lines of Python."""

from sklearn.datasets import load_iris
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

import mlpress as mp

features, labels = load_iris(return_X_y=True)
classifier = make_pipeline(MinMaxScaler(), MLPClassifier((3,), max_iter=4000, alpha=0.01, random_state=0))
classifier.fit(features, labels)

model = mp.from_sklearn(classifier)
design = mp.compile(model, mp.Dataset.from_arrays(features, labels), target="egfet", input_bits=4)
folder = design.save("quickstart")

estimate = design.facts["estimate"]
print(f"accuracy {design.facts['accuracy']['quantised']:.3f}, area {estimate['area_cm2']:.3f} cm2, folder {folder}")
