"""The pipeline of live objects, one for each role, from the sampler to the explainers.

Commands, notebooks and tests all run a `Pipeline`. It passes arrays from one role to the next and
knows nothing about files or progress bars.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core.analysis.evaluation import Evaluation
from speckle_core.analysis.verdict import evaluate
from speckle_core.contracts.arrays import FloatArray, IntArray
from speckle_core.contracts.capabilities import SupportsValues
from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.patterns import PatternSet
from speckle_core.contracts.preparation import prepare
from speckle_core.contracts.roles import (
    Classifier,
    Detector,
    Epoch,
    Explainer,
    OnEpoch,
    Preprocessor,
    Role,
    Sampler,
    Scatterer,
)
from speckle_core.errors import PatternError, PluginError
from speckle_core.experiment.simulation import Simulation, require, resolve
from speckle_core.experiment.split import Split
from speckle_core.plugins.manager import plugin_manager


class Pipeline(Simulation):
    """The chain of components, given as objects or by name.

    Parameters
    ----------
    sampler, scatterer, detector, classifier : object or str, optional
        Components, or names of components with default options; only those used are required.
        A scikit-learn estimator with ``predict_proba`` can be the classifier. Without a detector,
        patterns stay as the scatterer computes them.
    grid : KGrid
        The grid of the patterns.
    prepare : sequence of Preprocessor or str
        Preparation steps, applied in order to every pattern before a classifier sees it.
    baselines : mapping of str to Classifier, or sequence of str
        Classifiers to compare with.
    explainers : mapping of str to Explainer, or sequence of str
        Explainers for the classifier.

    Examples
    --------
    >>> import numpy as np
    >>> from speckle_core import KGrid, Pipeline
    >>> pipeline = Pipeline(
    ...     sampler="monodisperse",
    ...     scatterer="analytic",
    ...     grid=KGrid.centered(33, np.pi / 2000),
    ...     prepare=["block-center", "standardize"],
    ...     classifier="radial-lda",
    ... )
    >>> patterns = pipeline.pattern_set(counts=[2, 12], patterns_per_count=20, seed=1)
    >>> history, test = pipeline.fit(patterns, seed=1)
    >>> pipeline.evaluate(test)["classifier"].accuracy
    1.0
    """

    def __init__(
        self,
        *,
        grid: KGrid,
        sampler: Sampler | str | None = None,
        scatterer: Scatterer | str | None = None,
        detector: Detector | str | None = None,
        prepare: Iterable[Preprocessor | str] = (),
        classifier: Classifier | Any | str | None = None,
        baselines: Mapping[str, Classifier] | Sequence[str] = (),
        explainers: Mapping[str, Explainer] | Sequence[str] = (),
    ) -> None:
        super().__init__(grid=grid, sampler=sampler, scatterer=scatterer, detector=detector)
        self.prepare: tuple[Preprocessor, ...] = tuple(resolve("preprocessor", p) for p in prepare)
        self._classifier: Classifier | None = resolve("classifier", classifier)
        self.baselines: dict[str, Classifier] = _named("classifier", baselines)
        self.explainers: dict[str, Explainer] = _named("explainer", explainers)

    @property
    def classifier(self) -> Classifier:
        """The classifier."""
        return require(self._classifier, "classifier")

    def pattern_set(
        self, counts: Iterable[int], patterns_per_count: int, *, seed: int = 0
    ) -> PatternSet:
        """Simulate a set in memory; its patterns equal those of a data set on disk."""
        counts = sorted(counts)
        places = [(n, i) for n in counts for i in range(patterns_per_count)]
        drawn = [self.draw(n, i, seed) for n, i in places]
        recorded, valid = self.record(self.simulate(drawn), places, seed)
        patterns = self.complete(recorded, valid)
        labels = np.repeat(counts, patterns_per_count)
        made = PatternSet.from_arrays(patterns, labels, self.grid, steps=self.prepare)
        return made.with_measured(valid)

    def recipe(self) -> dict[str, Any]:
        """Return grid, preprocessors and classifiers as plain values.

        Raises
        ------
        UnknownComponentError
            For an object whose class no plugin provides.
        """
        recipe = plugin_manager().recipe
        return {
            "grid": attrs.asdict(self.grid),
            "prepare": [recipe("preprocessor", p) for p in self.prepare],
            "classifier": recipe("classifier", self.classifier),
            "baselines": [
                _labelled(recipe("classifier", b), key) for key, b in self.baselines.items()
            ],
        }

    def fit(
        self,
        patterns: PatternSet,
        *,
        split: Split | None = None,
        seed: int = 0,
        on_epoch: OnEpoch | None = None,
    ) -> tuple[list[Epoch], PatternSet]:
        """Train classifier and baselines on a split of `patterns`; return history and test set.

        Raises
        ------
        PluginError
            When the patterns have values, and one of them can learn only classes.
        """
        for one in (self.classifier, *self.baselines.values()):
            if patterns.values is not None and not isinstance(one, SupportsValues):
                raise PluginError(
                    f"{type(one).__name__} can learn the number of particles only as a class",
                    where="values",
                    hint="Leave it out, or the values; networks and rules on features can.",
                )
        patterns = patterns.prepared_with(self.prepare)
        parts = (split or Split()).indices(patterns.labels, seed)
        train, valid = patterns.subset(parts["train"]), patterns.subset(parts["valid"])
        for baseline in self.baselines.values():
            baseline.fit(train, valid, seed=seed)
        history = self.classifier.fit(train, valid, seed=seed, on_epoch=on_epoch)
        return history, patterns.subset(parts["test"])

    def prepared(
        self, patterns: FloatArray, *, valid: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float32]:
        """Return raw `patterns` (B, ny, nx) or (ny, nx) as the classifier sees them.

        Patterns of another size are taken as a larger or smaller section with the grid's step.
        `valid`, of the shape of `patterns`, is True where a pixel counts.

        Raises
        ------
        PatternError
            For NaN, infinity, or patterns that are not square.
        """
        patterns = _as_stored(np.asarray(patterns))
        if patterns.ndim == 2:
            patterns = patterns[None]
            valid = None if valid is None else valid[None]
        size = patterns.shape[-1]
        if self.grid.layout == "centered" and size % 2 == 0:
            raise PatternError(
                f"patterns of {size} × {size} pixels have no middle pixel for k = 0",
                hint="Crop them to an odd size centred on k = 0.",
            )
        grid = attrs.evolve(self.grid, size=size)
        return prepare(patterns, grid, self.prepare, valid=valid)

    def predict_proba(self, patterns: FloatArray) -> FloatArray:
        """Return class probabilities of raw `patterns`, (B, classes)."""
        return self.classifier.predict_proba(self.prepared(patterns))

    def predict(self, patterns: FloatArray) -> IntArray:
        """Return the most probable class of each raw pattern, (B,)."""
        columns = self.predict_proba(patterns).argmax(axis=1)
        classes: IntArray = self.classifier.classes[columns]
        return classes

    def evaluate(self, patterns: PatternSet) -> dict[str, Evaluation]:
        """Evaluate the classifier and each fitted baseline."""
        patterns = patterns.prepared_with(self.prepare)
        found = {"classifier": evaluate(self.classifier, patterns)}
        return found | {n: evaluate(b, patterns) for n, b in self.baselines.items()}

    def explain(
        self, explainer: str, patterns: FloatArray, targets: IntArray | None = None
    ) -> FloatArray:
        """Return one map per raw pattern, (B, ny, nx); by default for the predicted class."""
        ready = self.prepared(patterns)
        if targets is None:
            targets = self.classifier.predict_proba(ready).argmax(axis=1)
        chosen = self.explainers.get(explainer) or resolve("explainer", explainer)
        maps: FloatArray = chosen.explain(self.classifier, ready, targets)
        return maps


def _as_stored(patterns: FloatArray) -> FloatArray:
    """Return patterns in float32, as data sets hold them, unless that loses or rounds to nothing.

    Preparation then gives a pattern the same values in training and in prediction.
    """
    if patterns.dtype != np.float64:
        return patterns
    with np.errstate(over="ignore", under="ignore"):
        stored = patterns.astype(np.float32)
    largest = float(np.abs(stored).max(initial=0))
    return stored if 1e-30 < largest < np.inf else patterns


def _labelled(recipe: dict[str, Any], key: str) -> dict[str, Any]:
    return recipe if recipe["name"] == key else recipe | {"label": key}


def _named(role: Role, things: Mapping[str, Any] | Sequence[str]) -> dict[str, Any]:
    if isinstance(things, Mapping):
        return {name: resolve(role, thing) for name, thing in things.items()}
    return {name: resolve(role, name) for name in things}
