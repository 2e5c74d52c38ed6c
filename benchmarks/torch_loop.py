"""What the benchmarks of torch's loop share: one epoch of ours, timed, and what a result tells."""

import torch
from paired_loops import new_network, timed

from speckle_networks.training import Training


def finish(framework):
    """Wait for a card, where there is one."""
    if framework.device.type == "cuda":
        torch.cuda.synchronize()


def epoch(framework, options, train, valid):
    """Train one epoch with the classifier's own loop; return wall and CPU seconds."""
    network = new_network(framework, options, train)
    with framework.training(network, options, 0, None) as trainer:
        training = Training(options, network, trainer, train, valid, seed=0)
        return timed(lambda: training.run(None, None), lambda: finish(framework))


def told(framework):
    """Return what a result says of how it was computed."""
    return {
        "precision": "bfloat16" if framework.bfloat16 else "float32",
        "device": str(framework.device),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
