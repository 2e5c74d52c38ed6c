"""`Dataset`: a data set on disk, checked when opened and read lazily."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from speckle_core.analysis.quantities import QuantityName
from speckle_core.contracts.arrays import IntArray
from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.patterns import PatternSet
from speckle_core.contracts.roles import Preprocessor
from speckle_core.data.manifest import Manifest, patterns_of, read
from speckle_core.data.reader import ShardReader
from speckle_core.data.stored_values import stored_values
from speckle_core.errors import DataError
from speckle_core.experiment.experiment import Experiment
from speckle_core.experiment.split import PARTS


class Dataset:
    """A complete data set: labels in memory, patterns on disk. Created by `Dataset.open`.

    Parameters
    ----------
    folder : Path
        Folder of the data set.
    manifest : Manifest
        Its manifest, already checked against the folder.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self._manifest = manifest
        self.grid: KGrid = manifest.grid
        self.labels: IntArray = manifest.experiment.labels()
        self._reader = ShardReader(folder, manifest.plan, self.grid, manifest.experiment)

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Dataset:
        """Open the data set in `folder`.

        Every shard must exist with its recorded size. Its bytes are checked by `verify`, and
        pattern by pattern when they are read.

        Raises
        ------
        DataError
            When there is no data set, or it is incomplete or damaged.
        """
        folder = Path(folder)
        manifest = read(folder)
        _check_whole(folder, manifest)
        return cls(folder, manifest)

    def __len__(self) -> int:
        """Return the number of patterns."""
        return len(self.labels)

    def __repr__(self) -> str:
        """Return the folder and the number and size of the patterns."""
        size = self.grid.size
        return f"<Dataset {str(self.folder)!r}: {len(self)} patterns of {size} × {size} pixels>"

    @property
    def experiment(self) -> Experiment:
        """The resolved experiment that made it."""
        return self._manifest.experiment

    @property
    def versions(self) -> dict[str, str]:
        """Versions of the software that made it, by name."""
        return dict(self._manifest.versions)

    @property
    def _may_be_masked(self) -> bool:
        made = self.experiment
        return made.detector is not None or made.imported is not None

    @property
    def classes(self) -> IntArray:
        """The classes (numbers of particles), ascending."""
        return np.asarray(self.experiment.counts, dtype=np.int64)

    @property
    def split(self) -> dict[str, NDArray[np.int64]]:
        """Indices of the patterns in ``train``, ``valid`` and ``test``."""
        return self.experiment.parts(self.labels)

    def patterns(self, split: str | None = None, steps: Sequence[Preprocessor] = ()) -> PatternSet:
        """Return the patterns of one part, or all of them, as a set that reads lazily.

        Parameters
        ----------
        split : {"train", "valid", "test"}, optional
            Which part; all patterns by default.
        steps : sequence of Preprocessor
            Preparation steps that `PatternSet.batch` applies.

        Raises
        ------
        DataError
            For an unknown part; later, when a damaged shard is read.
        """
        whole = PatternSet(
            self._reader,
            self.labels,
            self.grid,
            classes=self.classes,
            steps=tuple(steps),
            measured=self._reader.measured if self._may_be_masked else None,
        )
        if split is None:
            return whole
        if split not in PARTS:
            raise DataError(f"there is no part {split!r}", hint=f"Use {', '.join(PARTS)}.")
        return whole.subset(self.split[split])

    def values(self, quantity: QuantityName) -> NDArray[np.float64]:
        """Return a quantity of the stored bodies of every pattern, (N,); see `Target`.

        Raises
        ------
        DataError
            When it cannot be told of these bodies, or of measured patterns.
        """
        if quantity == "count":
            return self.labels.astype(np.float64)
        if self.experiment.imported is not None:
            raise DataError(
                "measured patterns have no stored bodies",
                where=str(self.folder),
                hint="Only the quantity 'count' is known of them.",
            )
        return stored_values(self.folder, self._manifest.plan, quantity)

    def close(self) -> None:
        """Close the files that were opened for reading."""
        self._reader.close()

    def __enter__(self) -> Self:
        """Return the set itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the files."""
        self.close()


def _check_whole(folder: Path, manifest: Manifest) -> None:
    plan, recorded = manifest.plan, manifest.recorded
    if len(recorded) < len(plan):
        raise DataError(
            f"is incomplete: {len(recorded)} of {len(plan)} shards are there "
            f"({sum(r.count for r in manifest.shards)} of {patterns_of(manifest.experiment)} "
            "patterns)",
            where=str(folder),
            hint="Run the same 'speckle import' again."
            if manifest.experiment.imported is not None
            else "Run the same 'speckle generate' again; it resumes where it stopped.",
        )
    for record in manifest.shards:
        path = os.path.join(folder, record.name)
        size = os.stat(path).st_size if os.path.isfile(path) else None
        if size != record.bytes:
            raise DataError(
                "is missing" if size is None else f"has {size} bytes instead of {record.bytes}",
                where=path,
                hint="Run 'speckle verify' on the data set; it says how to mend it.",
            )
