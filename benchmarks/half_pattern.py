"""What it saves to read the half of a pattern with ky >= 0, beside reading all of it.

Epochs of `torch-resnet50` over the same patterns take turns, with `classifier.half` and without;
see `paired_loops` for how. Prints one JSON document, whose "bare" side reads whole patterns::

    python benchmarks/half_pattern.py --size 129 --patterns 48 --batch-size 16 --rounds 5
"""

from paired_loops import arguments, compare, pattern_sets
from torch_loop import epoch, told

from speckle_torch.framework import TorchFramework
from speckle_torch.resnet50 import TorchResNet50


def main():
    given = arguments(__doc__.splitlines()[0])
    framework = TorchFramework.chosen(given.device, given.precision)
    sets = pattern_sets(given)
    half, whole = (
        TorchResNet50(channels=1, epochs=1, batch_size=given.batch_size, half=half)
        for half in (True, False)
    )
    compare(
        lambda: epoch(framework, half, *sets),
        lambda: epoch(framework, whole, *sets),
        given,
        **told(framework),
    )


if __name__ == "__main__":
    main()
