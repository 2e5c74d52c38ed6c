"""The split into training, validation and test: a pure function of labels, sizes and seed."""

from __future__ import annotations

import math
import warnings

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core.contracts.arrays import IntArray
from speckle_core.errors import ExperimentError, SplitWarning

PARTS = ("train", "valid", "test")

# One word, so it can never equal the key (count, number) of a pattern's random stream.
_STREAM = (0,)


@attrs.frozen(kw_only=True)
class Split:
    """Sizes of the three parts, as numbers of patterns or as fractions.

    Parameters
    ----------
    train, valid, test : int or float
        Three whole numbers (15200, 1900, 1900 in the paper) or three fractions that sum to at
        most 1.
    stratify : bool, optional
        Give every part its share of every class, and one pattern at least where there are enough;
        by default so for measured patterns alone.
    test_per_class : int, optional
        Draw exactly this number of test patterns of every class (100 in the paper); `test` must
        then be their sum, or a fraction, which is ignored.
    """

    train: int | float = 0.8
    valid: int | float = 0.1
    test: int | float = 0.1
    test_per_class: int | None = None
    stratify: bool | None = None

    def __attrs_post_init__(self) -> None:
        sizes = (self.train, self.valid, self.test)
        if len({isinstance(size, int) for size in sizes}) > 1:
            raise ExperimentError(
                f"train, valid and test are {sizes}: give three whole numbers or three fractions",
                where="split",
            )
        if min(sizes) < 0 or (isinstance(self.train, float) and math.fsum(sizes) > 1 + 1e-9):
            raise ExperimentError(
                f"train, valid and test are {sizes}: none may be negative, and fractions "
                "may not sum to more than 1",
                where="split",
            )
        if self.test_per_class is not None and self.test_per_class < 1:
            raise ExperimentError("must be at least 1", where="split.test_per_class")

    def on(self, labels: IntArray) -> tuple[Split, str]:
        """Return the split for measured patterns, and a note where it was scaled to them.

        What a file says of simulated patterns, in numbers or for each class, seldom fits measured
        ones: the parts then keep their proportions.
        """
        total, classes = len(labels), len(np.unique(labels))
        try:
            self.sizes(total, classes)
        except ExperimentError:
            whole = math.fsum(getattr(self, part) for part in PARTS)
            if not whole:
                raise
        else:
            return self, ""
        share = 1.0 if isinstance(self.train, float) else whole
        train, valid, test = (float(getattr(self, part)) / share for part in PARTS)
        found = Split(train=train, valid=valid, test=test, stratify=True)
        parts = _stratified(labels, found.sizes(total, classes), np.random.default_rng(0))
        listed = ", ".join(f"{part} {len(indices)}" for part, indices in parts.items())
        return found, f"the split is scaled to the {total} measured patterns: {listed}"

    def sizes(self, total: int, classes: int, *, fresh: bool = False) -> dict[str, int]:
        """Return the number of patterns in each part for `total` patterns of `classes` classes.

        With `fresh`, training patterns are not among them, and `train` is the number of an epoch.

        Raises
        ------
        ExperimentError
            When the numbers do not fit the set.
        """
        if fresh and not isinstance(self.train, int):
            raise ExperimentError(
                "fractions of a set tell nothing of training patterns that are not in it",
                where="split",
                hint="With structure.fresh, give train, valid and test as whole numbers; train is "
                "the number of patterns of an epoch.",
            )
        given = {part: getattr(self, part) for part in PARTS}
        if isinstance(self.train, int):
            found = {part: int(size) for part, size in given.items()}
        else:
            # Round the borders, not the parts, so that the sum is right.
            found, border, done = {}, 0, 0.0
            for part, share in given.items():
                done += share
                found[part] = round(done * total) - border
                border += found[part]
        if self.test_per_class is not None:
            wanted = self.test_per_class * classes
            if isinstance(self.test, int) and self.test != wanted:
                raise ExperimentError(
                    f"test_per_class = {self.test_per_class} for {classes} classes makes {wanted} "
                    f"test patterns, but test = {self.test}",
                    where="split",
                    hint=f"Set split.test={wanted}, or omit split.test_per_class.",
                )
            if wanted + found["valid"] >= total + fresh:
                raise ExperimentError(
                    f"test_per_class = {self.test_per_class} of {classes} classes takes {wanted} "
                    f"of {total} patterns, which leaves none to train on",
                    where="split",
                    hint=f"Set split.test_per_class={max(1, total // (10 * classes))}, or leave it "
                    "out.",
                )
            found["train"] -= max(wanted - found["test"], 0)
            found["test"] = wanted
        if fresh and found["train"] >= 1 and found["valid"] + found["test"] > total:
            raise ExperimentError(
                f"valid {found['valid']} + test {found['test']} patterns cannot be taken from the "
                f"{total} that are stored",
                where="split",
                hint="Set structure.patterns_per_count="
                f"{-(-(found['valid'] + found['test']) // classes)}.",
            )
        if found["train"] < 1 or (not fresh and sum(found.values()) > total):
            raise ExperimentError(
                f"train {found['train']} + valid {found['valid']} + test {found['test']} patterns "
                f"cannot be taken from the {total} of this set",
                where="split",
                hint="Use fractions, such as split.train=0.8 split.valid=0.1 split.test=0.1, "
                "or change structure.patterns_per_count.",
            )
        return found

    def indices(
        self, labels: IntArray, seed: int, *, fresh: bool = False
    ) -> dict[str, NDArray[np.int64]]:
        """Return the patterns of each part as ascending indices into `labels`.

        The parts share no pattern; the same labels and seed give the same parts. A `SplitWarning`
        names the classes that a part lacks. With `fresh`, no training pattern is among `labels`.

        Raises
        ------
        ExperimentError
            When the numbers do not fit, or a class has fewer than `test_per_class` patterns.
        """
        classes = np.unique(labels)
        sizes = self.sizes(len(labels), len(classes), fresh=fresh)
        if fresh:
            sizes["train"] = 0
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=_STREAM))
        if self.stratify and self.test_per_class is None:
            found = _stratified(labels, sizes, rng)
            _warn_of_missing(found, labels)
            return found
        if self.test_per_class is None:
            order = rng.permutation(len(labels))
            test, rest = order[: sizes["test"]], order[sizes["test"] :]
        else:
            chosen = []
            for value in classes:
                members = np.flatnonzero(labels == value)
                if len(members) < self.test_per_class:
                    raise ExperimentError(
                        f"class {value} has {len(members)} patterns, fewer than test_per_class",
                        where="split.test_per_class",
                    )
                chosen.append(rng.choice(members, self.test_per_class, replace=False))
            test = np.concatenate(chosen)
            rest = rng.permutation(np.setdiff1d(np.arange(len(labels)), test))
        train = rest[: sizes["train"]]
        valid = rest[sizes["train"] : sizes["train"] + sizes["valid"]]
        found = {"train": np.sort(train), "valid": np.sort(valid), "test": np.sort(test)}
        _warn_of_missing(found, labels)
        return found


def _stratified(
    labels: IntArray, sizes: dict[str, int], rng: np.random.Generator
) -> dict[str, NDArray[np.int64]]:
    """Return parts with as much of each class as of all, and one at least where there are enough.

    The parts of a rare class are rounded up, so a part may be larger than its size by a few.
    """
    parts: dict[str, list[NDArray[np.int64]]] = {part: [] for part in PARTS}
    wanted = {part: size / len(labels) for part, size in sizes.items() if size}
    for value in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == value))
        shares = {part: share * len(members) for part, share in wanted.items()}
        counts = {part: max(int(share), 1) for part, share in shares.items()}
        # What is left goes where the most is lacking, the training part before the others.
        budget = min(len(members), round(sum(shares.values())))
        while sum(counts.values()) < budget:
            counts[max(shares, key=lambda part: shares[part] - counts[part])] += 1
        while sum(counts.values()) > len(members):
            counts[max(counts, key=lambda part: (counts[part], part == "test"))] -= 1
        start = 0
        for part, count in counts.items():
            parts[part].append(members[start : start + count])
            start += count
    none = np.zeros(0, dtype=np.int64)
    return {part: np.sort(np.concatenate([none, *some])) for part, some in parts.items()}


def _warn_of_missing(found: dict[str, NDArray[np.int64]], labels: IntArray) -> None:
    """Warn of classes without a pattern in a part that has some."""
    for part, indices in found.items():
        lacking = np.setdiff1d(labels, labels[indices])
        if len(indices) and lacking.size:
            shown = ", ".join(map(str, lacking[:10])) + (", …" if lacking.size > 10 else "")
            classes = "class" if lacking.size == 1 else "classes"
            warnings.warn(
                f"the {part} part has no pattern of {classes} {shown}; split.stratify = true puts "
                "every class into every part, if it has enough patterns",
                SplitWarning,
                stacklevel=3,
            )
