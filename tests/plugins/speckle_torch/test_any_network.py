"""Any module through the door: `TorchClassifier` against torch's own tools and captum."""

import attrs
import numpy as np
import pytest

torch = pytest.importorskip("torch")
attribution = pytest.importorskip("captum.attr")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from speckle_core.errors import ModelError, OptionError, PatternError, PluginError  # noqa: E402
from speckle_core.plugins.component import options_of  # noqa: E402
from speckle_core.plugins.meanings import meanings_of  # noqa: E402
from speckle_core.testing import run_checks  # noqa: E402
from speckle_networks import feed  # noqa: E402
from tests.plugins.speckle_torch.own_network import Small, small  # noqa: E402
from tests.plugins.speckle_torch.tiny_network import easy, timeless  # noqa: E402
from tests.warm_kit import asking_warm  # noqa: E402

PATTERNS = easy(5, 7).batch(range(5))[0]
TARGETS = np.array([0, 1, 2, 0, 1])


@pytest.fixture(scope="module")
def trained():
    one = small()
    one.fit(easy(18), easy(6, 1), seed=1)
    return one


def test_it_conforms_to_the_kit(programs):
    with asking_warm(programs):
        results = run_checks("classifier", Small)
    assert [(r.id, r.outcome, r.message) for r in results if not r.ok] == []


def test_options_of_the_network_stand_beside_those_of_the_training():
    options = {option.name: option.default for option in options_of(Small)}
    assert {"width": 8, "epochs": 40, "batch_size": 40, "optimizer": "adam"}.items() <= (
        options.items()
    )
    assert meanings_of(Small)["width"] == "Number of channels."
    assert "epochs" in meanings_of(Small)


class Killed(Exception): ...


def test_a_killed_training_with_dropout_goes_on_as_if_nothing_had_happened(tmp_path):
    options = {"augment": "flips", "optimizer": "adamw", "schedule": "cosine"}
    torch.manual_seed(1)
    state = torch.random.get_rng_state()
    sets = easy(20), easy(6, 1)
    whole = small(**options)
    unbroken = timeless(whole.fit(*sets, seed=3))

    def kill(epoch):
        if epoch.number == 2:
            raise Killed

    for on_epoch in (kill, None):
        again = small(**options)
        again.checkpoint_in(tmp_path)
        try:
            history = again.fit(*sets, seed=3, on_epoch=on_epoch)
        except Killed:
            torch.manual_seed(2)
            state = torch.random.get_rng_state()
    assert timeless(history) == unbroken
    assert (again.predict_proba(PATTERNS) == whole.predict_proba(PATTERNS)).all()
    assert torch.equal(torch.random.get_rng_state(), state)
    assert timeless(small(**options, dropout=0.0).fit(*sets, seed=3)) != unbroken


def test_adamw_smoothing_and_cosine_are_torchs():
    """Against a bare loop with torch's AdamW, CosineAnnealingLR and label smoothing."""
    train = easy(12)
    options = {"optimizer": "adamw", "schedule": "cosine", "label_smoothing": 0.1}
    options |= {"weight_decay": 0.05, "dropout": 0.0, "epochs": 2}
    one = small(**options)
    one.fit(train, easy(0), seed=5)

    module = small(**options)._framework().network(one, (33, 33), 3, 5).module.train()
    module.requires_grad_(True)
    decaying = [p for p in module.parameters() if p.ndim > 1]
    others = [p for p in module.parameters() if p.ndim == 1]
    groups = [{"params": decaying, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}]
    adamw = torch.optim.AdamW(groups, lr=0.01)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(adamw, T_max=4)
    patterns, labels = train.batch(range(12))
    targets = torch.from_numpy(np.searchsorted([2, 3, 5], labels))
    step = 0
    for epoch in (1, 2):
        for part in np.split(feed.shuffled(12, 5, epoch), 2):
            step += 1
            for group in adamw.param_groups:
                group["eps"] = 1e-7 / (1 - 0.999**step) ** 0.5
            adamw.zero_grad()
            scores = module(torch.from_numpy(patterns[part])[:, None])
            functional.cross_entropy(scores, targets[part], label_smoothing=0.1).backward()
            adamw.step()
            cosine.step()
    ours = one._fitted.network.module
    for (name, expected), found in zip(module.named_parameters(), ours.parameters(), strict=True):
        if name != "0.bias":  # before batch norm: no gradient but rounding
            torch.testing.assert_close(found, expected.detach(), atol=2e-5, rtol=1e-4)


def test_maps_are_captums_and_any_layer_can_be_named(trained):
    module = trained._fitted.network.module
    before = {name: t.clone() for name, t in module.state_dict().items()}
    assert trained._fitted.network.layers == ("0", "1", "2", "3", "4", "5")
    for stage in ("2", "4", None):
        layer = module[int(stage or 5)]
        maps, gradients = trained.feature_maps(PATTERNS, TARGETS, stage=stage)
        expected = attribution.LayerGradCam(
            lambda x: _without_overwriting(module)(x), layer
        ).attribute(torch.from_numpy(PATTERNS)[:, None], torch.from_numpy(TARGETS))
        ours = (gradients.mean((2, 3))[:, :, None, None] * maps).sum(1)
        np.testing.assert_allclose(ours, expected[:, 0].detach().numpy(), rtol=1e-4, atol=1e-6)
    with pytest.raises(OptionError, match="'pool' is not one of '0', '1'"):
        trained.feature_maps(PATTERNS, TARGETS, stage="pool")
    assert all(torch.equal(t, before[name]) for name, t in module.state_dict().items())
    assert not any(m._forward_hooks for m in module.modules())


def _without_overwriting(module):
    for layer in module:
        if isinstance(layer, nn.ReLU):
            layer.inplace = False
    return module


@attrs.define(kw_only=True, eq=False)
class Functional(Small):
    """A network whose ReLUs are functions, whose layers size themselves, and its inputs two."""

    def network(self, shape, classes):
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv = nn.LazyConv2d(4, 3, padding=1)
                self.dense = nn.LazyLinear(classes)

            def forward(self, x):
                x = functional.relu(self.conv(x))
                return self.dense(torch.relu(x.flatten(1) - 0.1))

        return Net()

    def prepare_inputs(self, patterns):
        return torch.stack([patterns, patterns.abs().sqrt()], dim=1)


@pytest.fixture(scope="module")
def functional_one():
    one = Functional(epochs=2, batch_size=6, precision="float32", device="cpu")
    one.fit(easy(12), easy(0), seed=1)
    return one


def test_guided_gradients_know_relus_that_are_functions(functional_one):
    """Against captum, which knows modules alone, on the same weights."""
    net = functional_one._fitted.network.module

    class Modules(nn.Module):
        def __init__(self):
            super().__init__()
            self.net, self.first, self.second = net, nn.ReLU(), nn.ReLU()

        def forward(self, patterns):
            x = self.first(net.conv(functional_one.prepare_inputs(patterns)))
            return net.dense(self.second(x.flatten(1) - 0.1))

    with pytest.warns(UserWarning, match="hooks on ReLU|did not already require"):
        expected = attribution.GuidedBackprop(Modules()).attribute(
            torch.from_numpy(PATTERNS), torch.from_numpy(TARGETS)
        )
    ours = functional_one.input_gradients(PATTERNS, TARGETS, guided=True)
    np.testing.assert_allclose(ours, expected.numpy(), rtol=1e-4, atol=1e-7)
    plain = functional_one.input_gradients(PATTERNS, TARGETS)
    assert np.abs(plain - ours).max() > 1e-4


def test_a_network_of_one_size_says_which(functional_one):
    with pytest.raises(PatternError, match="the network reads 33 × 33 pixels, not 31 × 31"):
        functional_one.predict_proba(PATTERNS[:, :31, :31])


def test_files_hold_torchs_names_and_are_refused_for_other_options(trained, tmp_path):
    from safetensors.numpy import load_file

    trained.save(tmp_path)
    state = trained._fitted.network.module.state_dict()
    stored = load_file(tmp_path / "weights.safetensors")
    assert {n: (v.shape, str(v.dtype)) for n, v in stored.items()} == {
        n: (tuple(v.shape), str(v.dtype).removeprefix("torch.")) for n, v in state.items()
    }
    again = small()
    again.load(tmp_path)
    assert (again.predict_proba(PATTERNS) == trained.predict_proba(PATTERNS)).all()
    with pytest.raises(ModelError, match="the network has width = 8, but the options say 9"):
        small(width=9).load(tmp_path)
    path = tmp_path / "state.toml"
    path.write_text(path.read_text().replace("33,", "99999,", 1))
    with pytest.raises(ModelError, match="not those of a network"):
        small().load(tmp_path)


def test_of_other_classes_only_the_last_layer_starts_anew(trained, tmp_path):
    trained.save(tmp_path)
    later = small(epochs=1, learning_rate=1e-12)
    later.start_from(tmp_path)
    later.fit(easy(12, classes=[2, 3, 4, 5]), easy(0, classes=[2, 3, 4, 5]), seed=5)
    before, after = (c._fitted.network.module for c in (trained, later))
    torch.testing.assert_close(before[4].weight, after[4].weight)
    fresh = small()._framework().network(later, (33, 33), 4, 5).module
    torch.testing.assert_close(fresh[8].weight, after[8].weight)


@attrs.define(kw_only=True, eq=False)
class Wrong(Small):
    made: str = "nothing"

    def network(self, shape, classes):
        if self.made == "nothing":
            return None
        layers = [nn.Linear(33 * 33, classes + 1)] if self.made == "more" else []
        return nn.Sequential(nn.Flatten(), *layers)


@pytest.mark.parametrize(
    ("made", "cause"),
    [
        ("nothing", "returned NoneType, not a torch module"),
        ("more", r"returned \(6, 4\) for 6 patterns, not one score for each of 3 classes"),
        ("flat", "nothing in the network can be trained"),
    ],
)
def test_what_is_no_classifier_is_refused_with_the_cause(made, cause):
    with pytest.raises(PluginError, match=cause):
        Wrong(made=made, batch_size=6, device="cpu").fit(easy(6), easy(0), seed=1)
