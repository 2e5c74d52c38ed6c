import json
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from speckle_torch.distributed import Team  # noqa: E402

SCRIPT = str(Path(__file__).with_name("fit_in_processes.py"))
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


@pytest.mark.skipif(
    not torch.distributed.is_available() or sys.platform == "win32", reason="torch without gloo"
)
def test_two_processes_train_as_one_with_the_same_batch(tmp_path, run_python):
    """Equal up to the order of sums: batch norm sees the whole batch, gradients are averaged."""
    alone = run_python(SCRIPT, str(tmp_path / "alone"), prefix=("-u",))
    assert alone.returncode == 0, alone.stderr
    together = run_python(
        SCRIPT, str(tmp_path / "together"), str(tmp_path / "state"), prefix=TORCHRUN
    )
    assert together.returncode == 0, together.stderr
    assert together.stdout.count("heard") == 4
    assert (tmp_path / "state" / "checkpoint.json").exists()

    one, first, second = (
        json.loads((tmp_path / name).read_text())
        for name in ("alone.0", "together.0", "together.1")
    )
    assert first == second
    np.testing.assert_allclose(first["history"], one["history"], rtol=2e-3, atol=2e-3)
    # The first epoch's three steps, before rounding has been through Adam often:
    assert first["history"][0][0] == pytest.approx(one["history"][0][0], rel=1e-5)


def test_a_team_shares_each_batch_without_rest():
    shares = [Team(rank, 3).share(np.arange(8)).tolist() for rank in range(3)]
    assert shares == [[0, 1, 2], [3, 4, 5], [6, 7]]
