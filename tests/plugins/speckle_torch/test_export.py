"""Networks as ONNX files, read by onnxruntime."""

import json

import attrs
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")
onnxruntime = pytest.importorskip("onnxruntime")

from speckle_core import (  # noqa: E402
    Component,
    ModelError,
    PluginError,
    SupportsOnnx,
    hookimpl,
    plugin_manager,
)
from speckle_core.experiment.experiment import Experiment  # noqa: E402
from speckle_core.experiment.pipeline import Pipeline  # noqa: E402
from speckle_core.models.export import export  # noqa: E402
from speckle_core.models.folder import save_model  # noqa: E402
from speckle_resnet.architecture import Plan  # noqa: E402
from speckle_torch import TorchClassifier  # noqa: E402
from tests.plugins.speckle_torch.tiny_network import Tiny, easy  # noqa: E402

EXPERIMENT = {
    "name": "exported",
    "structure": {"counts": [2, 3], "patterns_per_count": 20},
    "grid": {"size": 33, "step": 0.1},
    "prepare": ["standardize"],
    "classifier": {"name": "shallow", "epochs": 1, "crop": 25, "half": True},
}


@attrs.define(kw_only=True, eq=False)
class Shallow(Tiny):
    """Two blocks, which are written sooner than five."""

    def _plan(self):
        return Plan(blocks=(1, 1), widths=(2, 3), stem=4)


class Plugin:
    @hookimpl
    def speckle_classifiers(self):
        return [Component("shallow", Shallow, "The paper's network, with two blocks.")]


@attrs.define(kw_only=True, eq=False)
class Depends(TorchClassifier):
    """A network whose steps depend on the values of the patterns."""

    epochs: int = 1

    def network(self, shape, classes):
        class Module(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.last = torch.nn.Linear(1, classes)

            def forward(self, x):
                means = x.mean(dim=(1, 2, 3))
                return self.last(means[:, None] * (2 if means.sum().item() > 1 else 1))

        return Module()


def test_onnxruntime_gives_the_same_scores_for_whole_patterns(tmp_path):
    experiment = Experiment.from_dict(EXPERIMENT)
    plugin_manager.cache_clear()
    plugin_manager().register(Plugin(), "tests")
    try:
        options = {"epochs": 1, "crop": 25, "half": True, "precision": "float32", "device": "cpu"}
        classifier = Shallow(channels=1, **options)
        assert isinstance(classifier, SupportsOnnx)
        with pytest.raises(ModelError, match="not trained"):
            classifier.to_onnx({})
        patterns = easy(12)
        classifier.fit(patterns, easy(6, 1), seed=3)
        pipeline = Pipeline(grid=patterns.grid, prepare=["standardize"], classifier=classifier)
        save_model(pipeline, experiment, tmp_path / "model")
        export(tmp_path / "model", tmp_path / "model.onnx")
    finally:
        plugin_manager.cache_clear()
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    (read,) = session.get_inputs()
    assert (read.name, read.type, read.shape[1:]) == ("patterns", "tensor(float)", [33, 33])
    for count in (1, 5):  # the size of a batch is free
        prepared = easy(count, 7).batch(range(count))[0]
        scores, rates = session.run(["scores", "probabilities"], {"patterns": prepared})
        np.testing.assert_allclose(rates, classifier.predict_proba(prepared), atol=1e-4)
        ours = classifier._ready().network.scores(prepared[:, 16:29, 4:29].copy())
        np.testing.assert_allclose(scores, ours, atol=1e-4)
    said = session.get_modelmeta().custom_metadata_map
    assert json.loads(said["speckle.classes"]) == [2, 3, 5]
    assert json.loads(said["speckle.grid"]) == {"layout": "centered", "size": 33, "step": 0.1}
    assert json.loads(said["speckle.prepare"])[0]["name"] == "standardize"
    assert 'name = "exported"' in said["speckle.experiment"]


def test_a_network_that_depends_on_its_data_is_refused():
    classifier = Depends()
    classifier.fit(easy(12), easy(0), seed=3)
    with pytest.raises(PluginError, match="cannot be written as ONNX") as caught:
        classifier.to_onnx({})
    assert "plain torch operations" in caught.value.hint
