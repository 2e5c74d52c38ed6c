"""What test patterns share with training patterns: sizes, configurations, bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs
import numpy as np

from speckle_core.audit.inventory import Inventory
from speckle_core.contracts.arrays import IntArray

#: The patterns of each part of a split, as indices.
Parts = Mapping[str, IntArray]


@attrs.frozen(eq=False, kw_only=True)
class Leakage:
    """Numbers of test patterns that share something with a training pattern.

    Parameters
    ----------
    test : int
        All test patterns.
    by_construction : tuple of int
        Classes in which all bodies have the same size, so all patterns share it.
    fixed : tuple of int
        Other classes in which all patterns have the same sizes.
    sizes : int
        Test patterns with the sizes of a training pattern, without `by_construction`.
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
    bodies_known: bool = True

    @classmethod
    def of(cls, found: Inventory, parts: Parts) -> Leakage:
        """Compare the test part with the training part."""
        train, test = parts["train"], parts["test"]
        members = {int(n): found.labels == n for n in np.unique(found.labels)}
        # A class with a single pattern proves nothing.
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
            bodies_known=found.bodies_known,
            **{name: int(which.sum()) for name, which in shared.items()},
        )

    def sentences(self) -> Iterator[str]:
        """Iterate over the findings as sentences."""
        if not self.bodies_known:
            if self.patterns:
                yield (
                    f"{self.patterns} of {self.test} test patterns are byte-identical to a "
                    "training pattern."
                )
            else:
                yield "No test pattern is byte-identical to a training pattern."
            yield "The patterns were measured: their bodies are not known, and not compared."
            return
        if self.by_construction:
            yield (
                f"In {_classes(self.by_construction)} the size of a body depends on n alone, so "
                "training and test share sizes by construction: this is not a leak of the split, "
                "but see the mean radius."
            )
        if self.fixed:
            yield (
                f"Training and test share sizes: in {_classes(self.fixed)} all patterns of a class "
                f"have the same radii, so {self.sizes} of {self.test} test patterns have sizes "
                "that were trained on. A classifier may learn the sizes instead of n."
            )
        elif self.sizes:
            yield f"{self.sizes} of {self.test} test patterns have the sizes of a training pattern."
        elif not self.by_construction:
            yield "No test pattern has the sizes of a training pattern."
        if not (self.arrangements or self.patterns):
            yield "No configuration (even shifted or inverted) and no pattern occurs in both parts."
            return
        yield (
            f"{self.configurations} of {self.test} test patterns have the configuration of a "
            f"training pattern, {self.arrangements - self.configurations} more the same "
            f"configuration shifted or inverted through a point, which gives the same pattern for "
            f"round bodies; {self.patterns} are byte-identical to a training pattern."
        )


def _classes(values: Sequence[int]) -> str:
    if len(values) == 1:
        return f"class {values[0]}"
    return f"{len(values)} classes ({values[0]} to {values[-1]})"
