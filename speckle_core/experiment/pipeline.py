"""The pipeline of live objects, one for each role, from the sampler to the explainers.

Commands, notebooks and tests all run a `Pipeline`. It passes arrays from one role to the next and
knows nothing about files or progress bars.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import attrs
import numpy as np
from numpy.typing import NDArray

from speckle_core.analysis.evaluation import Evaluation
from speckle_core.analysis.regrid import completed
from speckle_core.analysis.verdict import evaluate
from speckle_core.contracts.arrays import FloatArray, IntArray
from speckle_core.contracts.geometry import Configuration
from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.patterns import PatternSet, prepare
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
    SupportsIntensities,
)
from speckle_core.errors import PackingError, PatternError, PluginError
from speckle_core.experiment.estimator import as_classifier
from speckle_core.experiment.split import Split
from speckle_core.plugins.manager import plugin_manager

T = TypeVar("T")
#: Last part of the key of a pattern's detector noise, beside its class and number.
_NOISE = 1


def _resolve(role: Role, thing: str | T | None) -> Any:
    if isinstance(thing, str):
        return plugin_manager().create(role, thing)
    return as_classifier(thing) if role == "classifier" else thing


class Pipeline:
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
        self.grid = grid
        self._sampler: Sampler | None = _resolve("sampler", sampler)
        self._scatterer: Scatterer | None = _resolve("scatterer", scatterer)
        self.detector: Detector | None = _resolve("detector", detector)
        self.prepare: tuple[Preprocessor, ...] = tuple(_resolve("preprocessor", p) for p in prepare)
        self._classifier: Classifier | None = _resolve("classifier", classifier)
        self.baselines: dict[str, Classifier] = _named("classifier", baselines)
        self.explainers: dict[str, Explainer] = _named("explainer", explainers)

    @property
    def sampler(self) -> Sampler:
        """The sampler."""
        return _require(self._sampler, "sampler")

    @property
    def scatterer(self) -> Scatterer:
        """The scatterer."""
        return _require(self._scatterer, "scatterer")

    @property
    def classifier(self) -> Classifier:
        """The classifier."""
        return _require(self._classifier, "classifier")

    def draw(self, count: int, number: int, seed: int) -> Configuration:
        """Return configuration `number` of class `count`; it depends on the arguments only.

        Raises
        ------
        PackingError
            When the particles cannot be placed.
        PluginError
            When the sampler returns another number of particles.
        """
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(count, number)))
        try:
            configuration = self.sampler.sample(count, rng)
        except PackingError as error:
            raise PackingError(error.what, where=f"n = {count}", hint=error.hint) from error
        except OverflowError as error:
            raise PackingError(
                f"its sampler cannot compute with these options: {error}",
                where=f"n = {count}",
                hint="Lengths of very different size cannot be used together.",
            ) from error
        if len(configuration) != count:
            raise PluginError(
                f"was asked for {count} particles but returned {len(configuration)}",
                where=f"sampler {type(self.sampler).__name__}",
            )
        return configuration

    def simulate(self, configurations: Sequence[Configuration]) -> NDArray[np.float32]:
        """Return the raw intensity of each configuration, float32 (B, ny, nx) [area²].

        Raises
        ------
        PluginError
            When the scatterer returns a wrong shape, NaN or infinity.
        """
        scatterer = self.scatterer
        if isinstance(scatterer, SupportsIntensities):
            patterns = np.asarray(scatterer.intensities(configurations, self.grid), np.float32)
        else:
            patterns = np.stack([scatterer.intensity(c, self.grid) for c in configurations]).astype(
                np.float32
            )
        if patterns.shape != (len(configurations), *self.grid.shape):
            raise PluginError(
                f"returned patterns of shape {patterns.shape} for {len(configurations)} "
                f"configurations on a grid of {self.grid.size} × {self.grid.size}",
                where=f"scatterer {type(scatterer).__name__}",
            )
        if not np.isfinite(patterns).all():
            raise PluginError(
                "returned NaN or infinity", where=f"scatterer {type(scatterer).__name__}"
            )
        return patterns

    def record(
        self, intensities: NDArray[np.float32], places: Sequence[tuple[int, int]], seed: int
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_] | None]:
        """Return what the detector records of simulated `intensities`, and its mask.

        Parameters
        ----------
        intensities : array, (B, ny, nx)
            From `simulate`; they are left unchanged.
        places : sequence of (int, int)
            Class and number of each pattern, as given to `draw`.
        seed : int
            Noise depends on this and the place only, and not on what `draw` has drawn.

        Returns
        -------
        counts : array, float32 (B, ny, nx)
            0 where the mask is False; the `intensities` themselves without a detector.
        valid : array of bool, (B, ny, nx), or None
            True where a pixel counts; None when every pixel does.

        Raises
        ------
        PluginError
            When the detector returns a wrong shape or type, or NaN or infinity where a pixel
            counts.
        """
        if self.detector is None:
            return intensities, None
        counts = np.empty_like(intensities)
        valid = np.empty(intensities.shape, dtype=bool)
        for at, (count, number) in enumerate(places):
            sequence = np.random.SeedSequence(seed, spawn_key=(count, number, _NOISE))
            found, mask = self.detector.record(
                intensities[at].astype(np.float64), self.grid, np.random.default_rng(sequence)
            )
            self._check_record(found, mask)
            counts[at], valid[at] = np.where(mask, found, 0), mask
        return counts, None if valid.all() else valid

    def _check_record(self, counts: Any, mask: Any) -> None:
        where, shape = f"detector {type(self.detector).__name__}", self.grid.shape
        if np.shape(counts) != shape or np.shape(mask) != shape:
            raise PluginError(
                f"returned counts of shape {np.shape(counts)} and a mask of shape "
                f"{np.shape(mask)} for a pattern of {shape[0]} × {shape[1]} pixels",
                where=where,
            )
        if np.asarray(mask).dtype != bool:
            raise PluginError(f"returned a mask of {np.asarray(mask).dtype}, not bool", where=where)
        with np.errstate(over="ignore"):
            stored = np.asarray(counts).astype(np.float32)
        if not np.isfinite(stored[mask]).all():
            raise PluginError("returned NaN or infinity where a pixel counts", where=where)

    def recorded(
        self, configurations: Sequence[Configuration], places: Sequence[tuple[int, int]], seed: int
    ) -> NDArray[np.float32]:
        """Return the patterns of a data set, float32 (B, ny, nx): simulated, recorded, completed.

        Pixels that do not count are completed as those of measured frames are.

        Raises
        ------
        PluginError
            When the scatterer or the detector returns something that is not a pattern.
        PatternError
            When too few pixels count to complete a pattern.
        """
        patterns, valid = self.record(self.simulate(configurations), places, seed)
        if valid is None:
            return patterns
        pairs = zip(patterns, valid, strict=True)
        try:
            return np.stack([completed(p, v, self.grid).astype(np.float32) for p, v in pairs])
        except PatternError as error:
            raise PatternError(
                error.what,
                where=f"detector {type(self.detector).__name__}",
                hint="Let more of its pixels count.",
            ) from error

    def pattern_set(
        self, counts: Iterable[int], patterns_per_count: int, *, seed: int = 0
    ) -> PatternSet:
        """Simulate a set in memory; its patterns equal those of a data set on disk."""
        counts = sorted(counts)
        places = [(n, i) for n in counts for i in range(patterns_per_count)]
        patterns = self.recorded([self.draw(n, i, seed) for n, i in places], places, seed)
        labels = np.repeat(counts, patterns_per_count)
        return PatternSet.from_arrays(patterns, labels, self.grid, steps=self.prepare)

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
        """Train classifier and baselines on a split of `patterns`; return history and test set."""
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
        patterns = np.asarray(patterns)
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
        chosen = self.explainers.get(explainer) or _resolve("explainer", explainer)
        maps: FloatArray = chosen.explain(self.classifier, ready, targets)
        return maps


def _labelled(recipe: dict[str, Any], key: str) -> dict[str, Any]:
    return recipe if recipe["name"] == key else recipe | {"label": key}


def _named(role: Role, things: Mapping[str, Any] | Sequence[str]) -> dict[str, Any]:
    if isinstance(things, Mapping):
        return {name: _resolve(role, thing) for name, thing in things.items()}
    return {name: _resolve(role, name) for name in things}


def _require(thing: T | None, role: str) -> T:
    if thing is None:
        raise PluginError(f"this pipeline has no {role}", hint=f"Create it with {role}=….")
    return thing
