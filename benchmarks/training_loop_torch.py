"""What the training loop of torch-resnet50 costs beside a bare loop over the same network and data.

See `paired_loops` for how. Prints one JSON document::

    python benchmarks/training_loop_torch.py --size 65 --patterns 160 --rounds 7
"""

import numpy as np
import torch
from paired_loops import arguments, compare, new_network, pattern_sets, timed
from torch.nn import functional
from torch_loop import epoch, finish, told

from speckle_torch.framework import TorchFramework
from speckle_torch.resnet50 import TorchResNet50


def main():
    given = arguments(__doc__.splitlines()[0])
    framework = TorchFramework.chosen(given.device, given.precision)
    device = framework.device
    train, nothing = pattern_sets(given)
    options = TorchResNet50(channels=1, epochs=1, batch_size=given.batch_size)

    def bare():
        """Train one epoch as anyone would write it."""
        module = new_network(framework, options, train).module
        network = module.train().requires_grad_(True)
        patterns, labels = train.batch(range(len(train)))
        adam = torch.optim.Adam(network.parameters(), 1e-3, weight_decay=2e-4, fused=True)

        def work():
            order = np.random.default_rng(0).permutation(len(labels))
            for first in range(0, len(order), options.batch_size):
                batch = order[first : first + options.batch_size]
                x = torch.from_numpy(patterns[batch]).to(device)
                y = torch.from_numpy(labels[batch]).to(device)
                adam.zero_grad()
                with torch.autocast(device.type, torch.bfloat16, framework.bfloat16):
                    scores = network(x)
                functional.cross_entropy(scores.float(), y).backward()
                adam.step()

        return timed(work, lambda: finish(framework))

    compare(
        lambda: epoch(framework, options, train, nothing),
        bare,
        given,
        **told(framework),
    )


if __name__ == "__main__":
    main()
