"""What it saves to read the half of a pattern with ky >= 0, beside reading all of it.

Epochs of `torch-resnet50` over the same patterns take turns, with `classifier.half` and without;
see `paired_loops` for how. Prints one JSON document, whose "bare" side reads whole patterns::

    python benchmarks/half_pattern.py --size 129 --patterns 48 --batch-size 16 --rounds 5
"""

import torch
from paired_loops import arguments, compare, new_network, pattern_sets, timed

from speckle_resnet.training import Training
from speckle_torch.framework import TorchFramework
from speckle_torch.resnet50 import TorchResNet50


def main():
    given = arguments(__doc__.splitlines()[0])
    framework = TorchFramework.chosen(given.device, given.precision)
    train, nothing = pattern_sets(given)

    def finish():
        if framework.device.type == "cuda":
            torch.cuda.synchronize()

    def epoch(half):
        options = TorchResNet50(channels=1, epochs=1, batch_size=given.batch_size, half=half)
        network = new_network(framework)
        with framework.training(network, options.weight_decay) as trainer:
            training = Training(options, network, trainer, train, nothing, seed=0)
            return timed(lambda: training.run(None, None), finish)

    compare(
        lambda: epoch(True),
        lambda: epoch(False),
        given,
        precision="bfloat16" if framework.bfloat16 else "float32",
        device=str(framework.device),
        threads=torch.get_num_threads(),
        torch=torch.__version__,
    )


if __name__ == "__main__":
    main()
