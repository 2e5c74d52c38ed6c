import json
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from speckle_core import Dataset, Experiment, OutputError, plugin_manager  # noqa: E402
from speckle_core.data.generate import generate  # noqa: E402
from speckle_core.models.folder import load_model  # noqa: E402
from speckle_core.models.torchrun import is_main_process  # noqa: E402
from speckle_core.models.train import train  # noqa: E402
from speckle_core.run import Run  # noqa: E402
from speckle_torch.distributed import Team  # noqa: E402
from tests.plugins.speckle_torch.fit_in_processes import fit  # noqa: E402
from tests.plugins.speckle_torch.tiny_network import TinyPlugin  # noqa: E402

SCRIPT = str(Path(__file__).with_name("fit_in_processes.py"))
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--no-python")
#: A training of seconds: 12 patterns of 33 × 33 pixels, 1 epoch.
SETTINGS = [
    "structure.counts=[2, 3]",
    "structure.patterns_per_count=10",
    "grid.size=33",
    "split={train = 12, valid = 4, test = 4}",
    'prepare=[{name = "block-center", size = 3}, {name = "standardize"}]',
    "baselines=['radial-lda']",
]
TINY = 'classifier={name = "tiny", channels = 1, epochs = 1, batch_size = 6}'


@pytest.fixture(scope="module")
def together(tmp_path_factory, programs, run_warm):
    """Return the folder that two processes trained in, and the process that started them."""
    if not torch.distributed.is_available() or sys.platform == "win32":
        pytest.skip("torch without gloo")
    folder = tmp_path_factory.mktemp("together")
    generate(Experiment.load("quickstart", SETTINGS), folder / "data", workers=1)
    chosen = [word for setting in (*SETTINGS, TINY) for word in ("--set", setting)]
    command = ("train", "quickstart", *chosen, "--data", str(folder / "data"), "--tensorboard")
    places = str(folder / "result"), str(folder / "state")
    python = *TORCHRUN, programs / "python", SCRIPT
    # What synchronises the processes imports torch's compiler.
    done = run_warm(
        *python, *places, *command, "-o", str(folder / "model"), PRELOAD="torch torch._dynamo"
    )
    assert done.returncode == 0, done.stderr
    return folder, done


def test_two_processes_train_as_one_with_the_same_batch(together):
    """Equal up to the order of sums: batch norm sees the whole batch, gradients are averaged."""
    folder, _ = together
    assert (folder / "state" / "checkpoint.json").exists()
    first, second = (json.loads((folder / f"result.{rank}").read_text()) for rank in (0, 1))
    assert (first.pop("heard"), second.pop("heard")) == ([1, 2], [])
    assert first == second
    alone = fit()
    np.testing.assert_allclose(first["history"], alone["history"], rtol=2e-3, atol=2e-3)
    # A third party's network with torch's own batch norm.
    np.testing.assert_allclose(first["own"], alone["own"], rtol=2e-3)
    # The first epoch's three steps, before rounding has been through Adam often:
    assert first["history"][0][0] == pytest.approx(alone["history"][0][0], rel=1e-5)


def test_speckle_train_under_torchrun_is_one_training_with_one_voice(together, tiny_plugin):
    """The same command in every process: one of them writes and reports."""
    folder, done = together
    output = folder / "model"
    assert done.stdout.splitlines() == [f"model: {output}"]
    assert done.stderr.count("train tiny: 1 epoch") == 1
    assert done.stderr.count("fit radial-lda") == 1
    assert len(list((output / "tensorboard").iterdir())) == 1
    assert len((output / "history.csv").read_text().splitlines()) == 2
    assert set(load_model(output).pipeline.baselines) == {"radial-lda"}


@pytest.fixture
def tiny_plugin():
    plugin_manager().register(TinyPlugin(), "tests")
    yield
    plugin_manager.cache_clear()


def test_a_team_shares_each_batch_without_rest():
    shares = [Team(rank, 3).share(np.arange(8)).tolist() for rank in range(3)]
    assert shares == [[0, 1, 2], [3, 4, 5], [6, 7]]


def test_a_process_that_does_not_lead_writes_nothing_and_a_run_is_refused(tmp_path, monkeypatch):
    experiment = Experiment.load(
        "quickstart", [*SETTINGS, 'classifier={name = "radial-lda"}', "baselines=[]"]
    )
    generate(experiment, tmp_path / "data", workers=1)
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    model = train(experiment, Dataset.open(tmp_path / "data"), tmp_path / "model")
    assert model.pipeline.classifier.classes.tolist() == [2, 3]
    assert not (tmp_path / "model").exists()
    with pytest.raises(OutputError, match="one process, but torchrun has started several"):
        Run.begin(experiment, tmp_path / "run").execute()


def test_a_process_leads_that_is_first_or_alone(monkeypatch):
    """Some schedulers set a rank for every job, and no team with it."""
    told = []
    for rank, size in ((None, None), ("3", None), ("0", "2"), ("1", "2")):
        for name, value in (("RANK", rank), ("WORLD_SIZE", size)):
            monkeypatch.delenv(name, raising=False)
            if value is not None:
                monkeypatch.setenv(name, value)
        told.append(is_main_process())
    assert told == [True, True, True, False]
