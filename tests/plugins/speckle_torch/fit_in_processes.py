"""Started by torchrun in the tests: one training, the history written by each process."""

import json
import os
import pathlib
import sys

import torch

from tests.plugins.speckle_torch.tiny_network import easy, tiny

torch.set_num_threads(1)
one = tiny(augment="flips", batch_size=7)
if len(sys.argv) > 2:
    one.checkpoint_in(pathlib.Path(sys.argv[2]))
history = one.fit(
    easy(22), easy(7, 1), seed=3, on_epoch=lambda e: print("heard", e.number, flush=True)
)
result = {
    "history": [[e.loss, e.accuracy, e.valid_loss, e.valid_accuracy] for e in history],
    "probabilities": one.predict_proba(easy(6, 7).batch(range(6))[0]).tolist(),
}
pathlib.Path(f"{sys.argv[1]}.{os.environ.get('RANK', 0)}").write_text(json.dumps(result))
