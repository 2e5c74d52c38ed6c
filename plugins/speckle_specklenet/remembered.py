"""Evidence that is computed once for each pattern; needs no framework."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_specklenet.evidence import Evidence

#: Patterns whose evidence is remembered, 2 kB each; the oldest are forgotten.
_MOST = 100_000


@attrs.define(eq=False)
class Remembered:
    """Evidence that remembers what it found of the last hundred thousand patterns.

    The evidence of a pattern never changes, so every epoch but the first takes seconds.
    """

    evidence: Evidence
    _found: dict[int, NDArray[np.float32]] = attrs.field(init=False, factory=dict)

    def __call__(self, patterns: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Return the evidence of prepared patterns (B, ny, nx): (B, width)."""
        values = np.asarray(patterns, dtype=np.float32)
        # 64 bits: two of a hundred thousand patterns share them with a probability of 3e-10.
        keys = [hash(one.tobytes()) for one in values]
        new = [i for i, key in enumerate(keys) if key not in self._found]
        for i, row in zip(new, self.evidence(values[new]), strict=True):
            self._found[keys[i]] = row
        found = np.array([self._found[key] for key in keys]).reshape(-1, self.evidence.width)
        while len(self._found) > _MOST:
            del self._found[next(iter(self._found))]
        return found
