"""Run in a process of its own: train, save and ask one classifier, and write what it says.

``python answers.py COMPONENT train:MODEL:SEED answer:MODEL:OUT.npz small:OUT.npz …``
"""

import sys
from pathlib import Path

import attrs
import numpy as np

from speckle_core import Experiment, KGrid, PatternSet, Pipeline, create
from speckle_core.models.folder import read_record, save_model
from speckle_resnet.architecture import Plan

STEP = 0.05
OPTIONS = {"channels": 3, "precision": "float32", "device": "cpu"}
EXPLAINERS = {
    "saliency": {},
    "guided-saliency": {},
    "integrated-gradients": {"steps": 4},
    # Without its ReLU, which may leave nothing of a map.
    "grad-cam": {"relu": False},
    "grad-cam of stage1": {"relu": False, "stage": "stage1"},
    "grad-cam of stage3": {"relu": False, "stage": "stage3"},
}


def easy(count, size, seed):
    rng = np.random.default_rng(seed)
    grid = KGrid.centered(size, STEP)
    labels = np.resize([2, 3, 5, 8], count)
    patterns = np.exp(-((grid.distance() / (3.0 * labels[:, None, None])) ** 2))
    patterns += 0.1 * rng.standard_normal(patterns.shape)
    return PatternSet.from_arrays(patterns.astype(np.float32), labels, grid)


def train(component, folder, seed):
    """Write a model folder with a network that has seen two batches."""
    options = {"epochs": 1, "batch_size": 4, "learning_rate": 1e-4, **OPTIONS}
    experiment = Experiment.from_dict(
        {
            "name": "parity",
            "structure": {"counts": [2, 3, 5, 8], "patterns_per_count": 4},
            "grid": {"size": 65, "step": STEP},
            "split": {"train": 8, "valid": 4, "test": 4},
            "classifier": {"name": component, **options},
        }
    )
    pipeline = Pipeline(
        grid=experiment.kgrid(),
        classifier=create("classifier", component, **options),
    )
    patterns = easy(8, 65, 0)
    pipeline.classifier.fit(patterns, easy(4, 65, 1), seed=int(seed))
    save_model(pipeline, experiment, Path(folder))


def answer(component, folder, out):
    """Write probabilities at several sizes, and the maps of every explainer at 65 × 65."""
    options = read_record(Path(folder)).classifier.options
    given = {name: value for name, value in options.items() if value != "none"}
    classifier = create("classifier", component, **given)
    classifier.load(Path(folder) / "classifier")
    found = {}
    for size in (64, 65, 257):
        patterns = np.random.default_rng(size).standard_normal((2, size, size)) * 0.1
        patterns += np.exp(-((np.hypot(*np.indices((size, size)) - size // 2) / 9) ** 2))
        found[f"probabilities{size}"] = classifier.predict_proba(patterns.astype(np.float32))
    patterns, targets = easy(3, 65, 2).batch(range(3))[0], np.array([0, 1, 3])
    for name, options in EXPLAINERS.items():
        explainer = create("explainer", name.partition(" of ")[0], **options)
        found[name] = explainer.explain(classifier, patterns, targets)
    np.savez(out, **found)


def small(component, out):
    """Write the history and the weights of a small network after three epochs of one batch."""
    kind = type(create("classifier", component))

    @attrs.define(kw_only=True, eq=False)
    class Small(kind):
        def _plan(self):
            return Plan(blocks=(2, 1), widths=(3, 4), stem=5)

    one = Small(epochs=3, batch_size=20, weight_decay=0.01, **OPTIONS)
    history = one.fit(easy(20, 33, 0), easy(8, 33, 1), seed=3)
    losses = [[e.loss, e.accuracy, e.valid_loss, e.valid_accuracy] for e in history]
    np.savez(out, history=losses, **one._fitted.network.weights())


if __name__ == "__main__":
    component, *tasks = sys.argv[1:]
    for task in tasks:
        name, *arguments = task.split(":")
        {"train": train, "answer": answer, "small": small}[name](component, *arguments)
    print(*sorted({"tensorflow", "torch"} & set(sys.modules)))
