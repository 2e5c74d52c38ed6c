import json

import pytest

from speckle_core.errors import OptionError
from speckle_core.plugins.component import check_options, options_of
from speckle_torch.plugin import speckle_classifiers
from speckle_torch.resnet50 import TorchResNet50
from tests.plugins.speckle_torch.tiny_network import easy, tiny

IMPORTS = """
import json, sys
{}
print(json.dumps([m for m in ("torch", "safetensors", "numpy", "scipy") if m in sys.modules]))
"""


def imported_by(run_python, code):
    process = run_python("-c", IMPORTS.format(code))
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def test_describing_the_plugin_does_not_import_torch(run_python):
    code = "import speckle_torch.plugin as p; list(p.speckle_classifiers())"
    assert not {"torch", "safetensors"} & set(imported_by(run_python, code))


def test_listing_the_options_does_not_import_torch(run_python):
    code = (
        "from speckle_core.plugins.component import options_of\n"
        "from speckle_torch.resnet50 import TorchResNet50\n"
        "assert options_of(TorchResNet50); repr(TorchResNet50())"
    )
    assert not {"torch", "safetensors", "scipy"} & set(imported_by(run_python, code))


def test_the_component_names_the_class_and_what_it_needs():
    (component,) = speckle_classifiers()
    assert component.name == "torch-resnet50"
    assert component.resolve() is TorchResNet50
    assert (component.requires, component.extra) == (("torch", "safetensors"), "torch")


def test_the_defaults_are_the_papers():
    defaults = {option.name: option.default for option in options_of(TorchResNet50)}
    expected = {"channels": 3, "epochs": 200, "batch_size": 40, "schedule": "constant"}
    expected |= {"learning_rate": 1e-3, "weight_decay": 1e-4, "early_stopping": None}
    assert expected.items() <= defaults.items()


def test_the_repr_says_how_to_make_it_again():
    one = TorchResNet50(channels=1, schedule="plateau", crop=129)
    assert repr(eval(repr(one))) == repr(one)


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"channels": 2}, "channels"),
        ({"channels": True}, "channels"),
        ({"epochs": 0}, "epochs"),
        ({"batch_size": 1}, "batch_size"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"weight_decay": -1e-4}, "weight_decay"),
        ({"early_stopping": 0}, "early_stopping"),
        ({"schedule": "linear"}, "schedule"),
        ({"optimizer": "sgd"}, "optimizer"),
        ({"label_smoothing": 1.0}, "label_smoothing"),
        ({"class_weights": "rare"}, "class_weights"),
        ({"precision": "float16"}, "precision"),
        ({"augment": "rotations"}, "augment"),
        ({"crop": 128}, "crop"),
        ({"crop": -1}, "crop"),
    ],
)
def test_a_value_out_of_range_is_refused_at_once(options, where):
    with pytest.raises(OptionError) as caught:
        TorchResNet50(**options)
    assert caught.value.where == where


def test_options_come_from_a_file_as_their_types():
    given = {"crop": "none", "learning_rate": 1, "early_stopping": 10}
    checked = check_options(TorchResNet50, given, "classifier")
    assert checked == {"crop": None, "learning_rate": 1.0, "early_stopping": 10}


@pytest.mark.parametrize("device", ["cuda:99", "tpu", "meta", "xpu"])
def test_a_device_that_is_not_there_is_refused(device):
    pytest.importorskip("torch")
    with pytest.raises(OptionError) as caught:
        tiny(device=device).fit(easy(6), easy(0), seed=1)
    assert caught.value.where == "device"
    assert device in str(caught.value)


@pytest.mark.parametrize(
    ("precision", "abilities", "expected"),
    [
        ("auto", {"amx_bf16": True}, True),
        ("auto", {"avx512_bf16": True, "amx_bf16": False}, True),
        ("auto", {"avx2": True}, False),
        ("float32", {"amx_bf16": True}, False),
        ("bfloat16", {}, True),
    ],
)
def test_bfloat16_is_chosen_where_the_processor_has_it(monkeypatch, precision, abilities, expected):
    torch = pytest.importorskip("torch")
    from speckle_torch.device import uses_bfloat16

    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: abilities)
    assert uses_bfloat16(precision, torch.device("cpu")) is expected


def test_bfloat16_trains_and_predicts_nearly_as_float32():
    pytest.importorskip("torch")
    patterns = easy(6, 7).batch(range(6))[0]
    probabilities = []
    for precision in ("float32", "bfloat16"):
        one = tiny(precision=precision, epochs=1)
        one.fit(easy(12), easy(0), seed=1)
        probabilities.append(one.predict_proba(patterns))
    assert 0 < abs(probabilities[0] - probabilities[1]).max() < 0.1
