"""Started by torchrun in the tests: a training by the command line, then one by Python.

``fit_in_processes.py RESULT STATE COMMAND …`` writes what the second gave to ``RESULT.rank``, its
checkpoint to the folder STATE. The second finds a group of processes, made by the script.
"""

import json
import os
import pathlib
import sys

import torch.distributed

from speckle_core import plugin_manager
from speckle_core.cli.app import app
from tests.plugins.speckle_torch.own_network import small
from tests.plugins.speckle_torch.tiny_network import TinyPlugin, easy, tiny


def fit(state=None):
    """Return the epochs that were heard, the history, and the probabilities of six patterns."""
    one, heard = tiny(augment="flips", batch_size=7, epochs=2), []
    if state is not None:
        one.checkpoint_in(state)
    history = one.fit(easy(22), easy(7, 1), seed=3, on_epoch=lambda e: heard.append(e.number))
    own = small(dropout=0.0, epochs=2).fit(easy(22), easy(7, 1), seed=3)
    return {
        "heard": heard,
        "history": [[e.loss, e.accuracy, e.valid_loss, e.valid_accuracy] for e in history],
        "own": [[e.loss, e.valid_loss] for e in own],
        "probabilities": one.predict_proba(easy(6, 7).batch(range(6))[0]).tolist(),
    }


if __name__ == "__main__":
    _, result, state, *command = sys.argv
    plugin_manager().register(TinyPlugin(), "tests")
    app(command, standalone_mode=False)
    # Not in torchrun's own store, where addresses of the first group are left.
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{result}.group", rank=rank, world_size=size
    )
    pathlib.Path(f"{result}.{rank}").write_text(json.dumps(fit(pathlib.Path(state))))
    torch.distributed.destroy_process_group()
