"""Run in a process of its own: train, save and ask one classifier, and write what it says.

``python answers.py COMPONENT TASK:ARGUMENT:… …``; the tasks are the functions in `TASKS`.
"""

import contextlib
import sys
from pathlib import Path
from unittest import mock

import attrs
import numpy as np

from speckle_core import Experiment, KGrid, PatternSet, Pipeline, create
from speckle_core.models.folder import read_record, save_model
from speckle_resnet.architecture import Plan

STEP = 0.05
OPTIONS = {"channels": 3, "precision": "float32", "device": "cpu"}
EXPLAINERS = {
    "saliency": {},
    # Without its ReLU, which may leave nothing of a map.
    "grad-cam": {"relu": False},
}
#: What does not depend on depth is asked of a small network alone.
MORE_EXPLAINERS = {
    "guided-saliency": {},
    "integrated-gradients": {"steps": 4},
    "grad-cam of stage1": {"relu": False, "stage": "stage1"},
}


def easy(count, size, seed):
    rng = np.random.default_rng(seed)
    grid = KGrid.centered(size, STEP)
    labels = np.resize([2, 3, 5, 8], count)
    patterns = np.exp(-((grid.distance() / (3.0 * labels[:, None, None])) ** 2))
    patterns += 0.1 * rng.standard_normal(patterns.shape)
    return PatternSet.from_arrays(patterns.astype(np.float32), labels, grid)


@contextlib.contextmanager
def uncompiled(component):
    """Let Keras compute eagerly: a few patterns take less time than a graph of a large network.

    `small` trains compiled, and all probabilities are computed by graphs.
    """
    if not component.startswith("keras"):
        yield
        return
    from speckle_keras.backend import engine

    with mock.patch.object(engine, "compiled", lambda function, *_: function):
        yield


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


def loaded(component, folder):
    options = read_record(Path(folder)).classifier.options
    given = {name: value for name, value in options.items() if value != "none"}
    classifier = create("classifier", component, **given)
    classifier.load(Path(folder) / "classifier")
    return classifier


def probabilities(classifier):
    """Return what it says of two patterns at each of several sizes, and of the second one alone."""
    found = {}
    for size in (64, 65, 129):
        patterns = np.random.default_rng(size).standard_normal((2, size, size)) * 0.1
        patterns += np.exp(-((np.hypot(*np.indices((size, size)) - size // 2) / 9) ** 2))
        found[f"probabilities{size}"] = classifier.predict_proba(patterns.astype(np.float32))
    found["alone"] = classifier.predict_proba(patterns[1:].astype(np.float32))
    return found


def maps(classifier, explainers):
    """Return the maps of explainers, of three patterns of 65 × 65."""
    patterns, targets = easy(3, 65, 2).batch(range(3))[0], np.array([0, 1, 3])
    return {
        name: create("explainer", name.partition(" of ")[0], **options).explain(
            classifier, patterns, targets
        )
        for name, options in explainers.items()
    }


def explain(component, folder, out):
    """Write probabilities and maps."""
    classifier = loaded(component, folder)
    found = probabilities(classifier)
    with uncompiled(component):
        np.savez(out, **found, **maps(classifier, EXPLAINERS))


def tiny(component, **options):
    """Return the same classifier around a small network."""
    kind = type(create("classifier", component))

    @attrs.define(kw_only=True, eq=False)
    class Tiny(kind):
        def _plan(self):
            return Plan(blocks=(2, 1), widths=(3, 4), stem=5)

    return Tiny(**options, **OPTIONS)


def small(component, folder, out):
    """Train a small network for three epochs of one batch; write its history and its weights."""
    one = tiny(component, epochs=3, batch_size=20, weight_decay=0.01)
    history = one.fit(easy(20, 33, 0), easy(8, 33, 1), seed=3)
    losses = [[e.loss, e.accuracy, e.valid_loss, e.valid_accuracy] for e in history]
    Path(folder).mkdir()
    one.save(Path(folder))
    np.savez(out, history=losses, **one._fitted.network.weights())


def judge(component, folder, out):
    """Write what a small network that another framework has trained says, and its loss."""
    one = tiny(component)
    one.load(Path(folder))
    patterns, labels = easy(8, 33, 1).batch(range(8))
    chosen = one.predict_proba(patterns)[np.arange(8), one.classes.searchsorted(labels)]
    found = probabilities(one) | maps(one, {"saliency": {}})
    with uncompiled(component):
        found |= maps(one, {"grad-cam": EXPLAINERS["grad-cam"], **MORE_EXPLAINERS})
    np.savez(out, loss=-np.log(chosen).mean(), **found)


def disks():
    """Return prepared patterns of two to five disks."""
    pipeline = Pipeline(
        sampler="polydisperse",
        scatterer="analytic",
        grid=KGrid.centered(65, np.pi / 2000),
        prepare=["block-center", "standardize"],
    )
    return pipeline.pattern_set([2, 3, 5], patterns_per_count=8, seed=3)


def specklenet(component, epochs):
    name = component.replace("resnet50", "specklenet")
    options = {"bodies": 6, "width": 16, "dropout": 0.0, "batch_size": 12, "device": "cpu"}
    return create("classifier", name, epochs=epochs, **options), options


def learn(component, folder):
    """Write a model folder with a trained `specklenet`."""
    one, options = specklenet(component, epochs=2)
    patterns = disks()
    pipeline = Pipeline(grid=patterns.grid, prepare=["block-center", "standardize"], classifier=one)
    experiment = Experiment.from_dict(
        {
            "name": "parity",
            "structure": {"counts": [2, 3, 5], "patterns_per_count": 8},
            "grid": {"size": 65},
            "prepare": [{"name": "block-center"}, {"name": "standardize"}],
            "split": {"train": 24, "valid": 0, "test": 0},
            "classifier": {
                "name": component.replace("resnet50", "specklenet"), "epochs": 2, **options
            },
        }
    )  # fmt: skip
    one.fit(patterns, patterns.subset([]), seed=1)
    save_model(pipeline, experiment, Path(folder))


def go_on(component, folder, out):
    """Write what a trained `specklenet` says, and what another epoch makes of it."""
    one, patterns = specklenet(component, epochs=1)[0], disks()
    one.load(Path(folder) / "classifier")
    found = {"said": one.predict_proba(np.asarray(patterns))}
    one.start_from(Path(folder) / "classifier")
    history = one.fit(patterns, patterns, seed=2)
    np.savez(out, **found, history=[history[0].loss, history[0].valid_loss],
             **one._fitted.network.weights())  # fmt: skip


def convert(component, folder, out, kind="resnet50"):
    """Turn a model folder into one of this framework, as the command does."""
    from typer.testing import CliRunner

    from speckle_core.cli.app import app

    words = ["convert", folder, "--to", component.replace("resnet50", kind), "-o", out]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert (result.exit_code, result.output.strip()) == (0, f"model: {out}")


TASKS = {task.__name__: task for task in (train, explain, small, judge, learn, go_on, convert)}

if __name__ == "__main__":
    component, *tasks = sys.argv[1:]
    for task in tasks:
        name, *arguments = task.split(":")
        TASKS[name](component, *arguments)
    print(*sorted({"tensorflow", "torch"} & set(sys.modules)))
