"""Event files, as TensorBoard itself reads them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from speckle_core import Epoch, OutputError
from speckle_core.models.tensorboard import EventFile

READ = """
import json, sys, types
# With this module TensorBoard's reader does without TensorFlow, which would take seconds to load.
sys.modules["tensorboard.compat.notf"] = types.ModuleType("notf")
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1]).Reload()
tags = events.Tags()["scalars"]
print(json.dumps({t: [[e.step, e.value] for e in events.Scalars(t)] for t in tags}))
"""
NAN = float("nan")


def epoch(number: int, loss: float, valid: float = NAN) -> Epoch:
    return Epoch(number, 5, loss, 0.5, valid, valid, 2.0, 1e-3)


def seen(folder: Path) -> dict[str, list[list[float]]]:
    # In a process of its own, which may believe that there is no TensorFlow.
    done = subprocess.run(
        [sys.executable, "-c", READ, str(folder)], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_a_resumed_training_repeats_no_epoch_and_leaves_out_what_was_not_measured(
    tmp_path: Path,
) -> None:
    first = EventFile(tmp_path)
    for number, loss in ((1, 4.0), (2, 3.0), (3, 2.5)):
        first.write(epoch(number, loss))
    first.close()
    # Killed before the checkpoint of epoch 3; it comes again, with other numbers.
    second = EventFile(tmp_path)
    for number, loss in ((3, 2.0), (4, 1.0)):
        second.write(epoch(number, loss, valid=0.25))
    second.close()
    found = seen(tmp_path)
    assert found["loss/training"] == [[1, 4.0], [2, 3.0], [3, 2.0], [4, 1.0]]
    assert found["loss/validation"] == [[3, 0.25], [4, 0.25]]
    assert found["accuracy/training"] == [[n, 0.5] for n in (1, 2, 3, 4)]
    assert found["learning rate"][0] == [1, pytest.approx(1e-3)]


def test_nothing_is_written_before_the_first_epoch(tmp_path: Path) -> None:
    EventFile(tmp_path / "tensorboard").close()
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        EventFile(tmp_path / "file").write(epoch(1, 1.0))


def test_writing_events_loads_no_framework() -> None:
    code = (
        "import sys, tempfile; from pathlib import Path\n"
        "from speckle_core import Epoch; from speckle_core.models.tensorboard import EventFile\n"
        "EventFile(Path(tempfile.mkdtemp())).write(Epoch(1, 1, 1., 1., 1., 1., 1., 1.))\n"
        "print({'torch', 'tensorflow', 'keras'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
