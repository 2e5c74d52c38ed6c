"""What a study varies, and the experiments that follow from it."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from speckle_core.errors import ExperimentError
from speckle_core.experiment.components import SIMULATION
from speckle_core.experiment.experiment import Experiment
from speckle_core.experiment.presets import parse_setting
from speckle_core.experiment.schema import Choice
from speckle_core.study.trained import TrainedReader

#: Points of one study; more is more likely a mistake than a plan.
MOST_POINTS = 10_000


@attrs.frozen
class Axis:
    """A key of the experiment and the values that it takes.

    Parameters
    ----------
    path : str
        As in ``--set``, for example ``structure.patterns_per_count``.
    texts : tuple of str
        The values as they were written.
    values : tuple
        The same as plain values.
    """

    path: str
    texts: tuple[str, ...]
    values: tuple[Any, ...]

    @classmethod
    def parse(cls, text: str) -> Axis:
        """Return the axis of ``PATH=VALUE,VALUE…``; commas inside brackets or quotes separate none.

        Raises
        ------
        ExperimentError
            When it is not of this form, or a value occurs twice.
        """
        path, equals, rest = text.partition("=")
        pieces = [piece.strip() for piece in _split(rest)]
        if not equals or not path.strip() or not all(pieces):
            raise ExperimentError(
                f"{text[:200]!r} is not PATH=VALUE,VALUE…",
                where="--vary",
                hint="Write --vary structure.patterns_per_count=50,100,200.",
            )
        values = tuple(parse_setting(f"{path}={piece}")[1] for piece in pieces)
        if len({json.dumps(value, default=str) for value in values}) < len(values):
            raise ExperimentError("a value occurs twice", where=f"--vary {path.strip()}")
        return cls(path.strip(), tuple(pieces), values)


def _split(text: str) -> Iterator[str]:
    """Iterate over what lies between the commas that no bracket, brace or quote encloses."""
    depth, quote, start = 0, "", 0
    for place, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign in "[{":
            depth += 1
        elif sign in "]}":
            depth -= 1
        elif sign == "," and depth == 0:
            yield text[start:place]
            start = place + 1
    yield text[start:]


@attrs.frozen
class Point:
    """One classifier, or one trained model, at one combination of values.

    Parameters
    ----------
    values : tuple
        A value for each axis.
    classifier : str
        Name or label of the classifier, or name of the model.
    experiment : Experiment
        Resolved, with this classifier and no baselines or explainers. With a model its own
        classifier is not used.
    model : TrainedReader, optional
        What reads the test patterns instead of a classifier trained for this point.
    """

    values: tuple[Any, ...]
    classifier: str
    experiment: Experiment = attrs.field(repr=False)
    model: TrainedReader | None = attrs.field(default=None, repr=False)

    @property
    def key(self) -> str:
        """A name for its result: the same experiment always has the same."""
        plain = re.sub(r"[^\w.-]+", "-", self.classifier)[:40]
        said = self.experiment.to_dict()
        if self.model is not None:
            said["classifier"] = {"model": self.model.sha256}
        return f"{plain}-{_digest(said)}"

    @property
    def data_key(self) -> str:
        """A name for its data set, which other points may share."""
        return _digest(self.experiment.data_recipe())


def _digest(data: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]


def points_of(
    source: str | Path,
    settings: Sequence[str],
    axes: Sequence[Axis],
    classifiers: Sequence[str] | None = None,
    models: Mapping[str, TrainedReader] | None = None,
) -> list[Point]:
    """Return every point of a study: all combinations of values, each with all classifiers.

    Parameters
    ----------
    source, settings
        The experiment and its settings, as for `Experiment.load`.
    axes : sequence of Axis
        What varies.
    classifiers : sequence of str, optional
        Those of the experiment by name or label, with their options there, or names of other
        classifiers with default options. By default the experiment's classifier and baselines, or
        with `models` none.
    models : mapping of str to TrainedReader, optional
        Trained models that read the same test patterns, from `open_readers`.

    Raises
    ------
    ExperimentError
        For a value that an experiment cannot have, too many points, or a model that must not read
        them.
    PluginError, OptionError
        For an unknown component or an invalid option.
    """
    paths = [axis.path for axis in axes]
    if len(set(paths)) < len(paths):
        raise ExperimentError("one key is varied twice", where="--vary")
    combinations = 1
    for axis in axes:
        combinations *= len(axis.texts)
    if combinations > MOST_POINTS:
        raise ExperimentError(
            f"{combinations} combinations, more than {MOST_POINTS}",
            where="--vary",
            hint="Give fewer values, or several studies.",
        )
    found = []
    for places in itertools.product(*(range(len(axis.texts)) for axis in axes)):
        pairs = list(zip(axes, places, strict=True))
        chosen = [f"{axis.path}={axis.texts[at]}" for axis, at in pairs]
        values = tuple(axis.values[at] for axis, at in pairs)
        experiment = Experiment.load(source, [*settings, *chosen])
        if experiment.target is not None:
            raise ExperimentError(
                "a study compares accuracies, which a value does not have",
                where="target",
                hint="Leave out [target], or use 'speckle run' for each point.",
            )
        if classifiers or not models:
            found += [Point(values, *one) for one in _readings(experiment, classifiers)]
        found += [Point(values, *one) for one in _models(experiment, models or {})]
    return found


def _models(
    experiment: Experiment, models: Mapping[str, TrainedReader]
) -> Iterator[tuple[str, Experiment, TrainedReader]]:
    """Iterate over the models: name, what they read, and the model."""
    if models:
        plain = attrs.evolve(experiment, baselines=(), explainers=())
        plain = plain.resolved(only=(*SIMULATION, "prepare"))
    for name, model in models.items():
        model.check(experiment)
        yield name, plain, model


def _readings(
    experiment: Experiment, names: Sequence[str] | None
) -> Iterator[tuple[str, Experiment]]:
    """Iterate over the chosen classifiers: key and experiment of each."""
    own = {choice.key: choice for choice in (experiment.classifier, *experiment.baselines)}
    for key in distinct(names) if names else own:
        choice = own.get(key) or Choice(key)
        alone = attrs.evolve(experiment, classifier=choice, baselines=(), explainers=())
        yield key, alone.resolved()


def distinct(names: Iterable[str]) -> list[str]:
    """Return names without repetition, in their order."""
    return list(dict.fromkeys(names))
