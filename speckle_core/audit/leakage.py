"""What test patterns have in common with training patterns: sizes, configurations, bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs
import numpy as np

from speckle_core.audit.inventory import Inventory
from speckle_core.contracts.arrays import IntArray

#: The patterns of each part of a split, as indices.
Parts = Mapping[str, IntArray]


@attrs.frozen(eq=False, kw_only=True)
class Sharing:
    """What test patterns have in common with training patterns, as numbers of test patterns.

    Parameters
    ----------
    test : int
        Test patterns in all.
    by_construction : tuple of int
        Classes whose bodies are all of one size, so that any two patterns share it.
    fixed : tuple of int
        Other classes all of whose patterns have the same sizes.
    sizes : int
        Test patterns with the sizes of a training pattern, `by_construction` left out.
    configurations, arrangements, patterns : int
        Test patterns with the whole configuration of a training pattern; the same or one shifted or
        inverted through a point; and with the very bytes of one.
    """

    test: int
    by_construction: tuple[int, ...]
    fixed: tuple[int, ...]
    sizes: int
    configurations: int
    arrangements: int
    patterns: int

    @classmethod
    def of(cls, found: Inventory, parts: Parts) -> Sharing:
        """Return what the test part shares with the training part."""
        train, test = parts["train"], parts["test"]
        members = {int(n): found.labels == n for n in np.unique(found.labels)}
        # A class of one pattern shows nothing of the rest.
        same = [n for n, of in members.items() if len(set(found.sizes[of])) == 1 < of.sum()]
        plain = [n for n in same if found.equal[members[n]].all()]
        shared = {
            name: np.isin((digests := getattr(found, name))[test], digests[train])
            for name in ("sizes", "configurations", "arrangements", "patterns")
        }
        shared["sizes"] &= ~np.isin(found.labels[test], plain)
        return cls(
            test=len(test),
            by_construction=tuple(plain),
            fixed=tuple(n for n in same if n not in plain),
            **{name: int(which.sum()) for name, which in shared.items()},
        )

    def sentences(self) -> Iterator[str]:
        """Tell it in sentences."""
        if self.by_construction:
            yield (
                f"In {_classes(self.by_construction)} the size of a body follows from n alone, so "
                "training and test share their sizes by construction: no leak of the split, but "
                "see what the mean radius tells."
            )
        if self.fixed:
            yield (
                f"Training and test share their sizes: in {_classes(self.fixed)} all patterns of "
                f"a class have the same radii, so {self.sizes} of {self.test} test patterns show "
                "sizes that were trained on. What is learned there may be the sizes and not n."
            )
        elif self.sizes:
            yield f"{self.sizes} of {self.test} test patterns have the sizes of a training pattern."
        elif not self.by_construction:
            yield "No test pattern has the sizes of a training pattern."
        if not (self.arrangements or self.patterns):
            yield "No configuration, not even shifted or inverted, and no pattern is in both parts."
            return
        yield (
            f"{self.configurations} of {self.test} test patterns have the configuration of a "
            f"training pattern, {self.arrangements - self.configurations} more the same one "
            f"shifted or inverted through a point, which round bodies scatter alike; "
            f"{self.patterns} are a training pattern to the last bit."
        )


def _classes(values: Sequence[int]) -> str:
    if len(values) == 1:
        return f"class {values[0]}"
    return f"{len(values)} classes ({values[0]} to {values[-1]})"
