"""How shared sizes, configurations and patterns are counted and told, on a made-up inventory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from speckle_core.audit.inventory import Inventory
from speckle_core.audit.leakage import Leakage

#: Two training and two test patterns of n = 2, the same of n = 3.
LABELS = np.array([2, 2, 2, 2, 3, 3, 3, 3])
PARTS = {"train": np.array([0, 1, 4, 5]), "test": np.array([2, 3, 6, 7])}


def sharing(equal: Any = False, **digests: list[int]) -> Leakage:
    """Return what is shared where all fingerprints differ, but for those given."""
    distinct = {
        name: np.array(digests.get(name, range(8)), dtype=np.uint64)
        for name in ("sizes", "configurations", "arrangements", "patterns")
    }
    flags = np.broadcast_to(np.asarray(equal, dtype=bool), 8)
    return Leakage.of(Inventory(labels=LABELS, quantities={}, equal=flags, **distinct), PARTS)


def told(**numbers: Any) -> str:
    nothing = {"by_construction": (), "fixed": (), "sizes": 0}
    shared = {"configurations": 0, "arrangements": 0, "patterns": 0}
    return " ".join(Leakage(**({"test": 40} | nothing | shared | numbers)).sentences())


def test_a_class_of_one_size_shares_it_by_construction_and_that_counts_as_no_leak() -> None:
    found = sharing(equal=LABELS == 2, sizes=[0, 0, 0, 0, 4, 5, 5, 7])
    assert (found.by_construction, found.fixed, found.sizes) == ((2,), (), 1)


def test_a_class_whose_patterns_all_have_the_same_unequal_sizes_is_fixed() -> None:
    found = sharing(sizes=[0, 1, 2, 3, 4, 4, 4, 4])
    assert (found.by_construction, found.fixed, found.sizes) == ((), (3,), 2)


@pytest.mark.parametrize("name", ["configurations", "arrangements", "patterns"])
def test_test_patterns_that_are_also_in_training_are_counted(name: str) -> None:
    # Pattern 2 is training pattern 0 again, 6 and 7 are one another but of no training pattern.
    found = sharing(**{name: [0, 1, 0, 3, 4, 5, 6, 6]})
    assert found.test == 4
    counts = {key: getattr(found, key) for key in ("configurations", "arrangements", "patterns")}
    assert counts == {"configurations": 0, "arrangements": 0, "patterns": 0} | {name: 1}


def test_classes_are_told_by_their_number_and_range() -> None:
    assert "In class 7 the size" in told(by_construction=(7,))
    assert "In 3 classes (2 to 9) the size" in told(by_construction=(2, 5, 9))
    assert "in 2 classes (4 to 6) all patterns" in told(fixed=(4, 6), sizes=12)
    assert "so 12 of 40 test patterns" in told(fixed=(4, 6), sizes=12)


def test_sizes_are_said_to_be_shared_or_not_unless_they_must_be() -> None:
    assert told().startswith("No test pattern has the sizes")
    assert told(sizes=3).startswith("3 of 40 test patterns have the sizes of a training pattern.")
    assert "No test pattern" not in told(by_construction=(2,))


def test_configurations_and_patterns_are_told_as_soon_as_one_is_shared() -> None:
    nothing = "no pattern occurs in both parts"
    assert nothing in told()
    for shared in ({"arrangements": 1}, {"patterns": 1}):
        assert nothing not in told(**shared)
    found = told(configurations=2, arrangements=5, patterns=1)
    for number in ("2 of 40 test patterns", "3 more", "1 are"):
        assert number in found
