"""An experiment as data: the checked content of a TOML file, from which `build` makes live objects.

The same file with the same seed means the same patterns, split and training anywhere. So everything
that determines a result, and nothing else, is a field of `Experiment`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import tomli_w
from numpy.typing import NDArray

from speckle_core.contracts.arrays import IntArray
from speckle_core.contracts.grid import KGrid
from speckle_core.contracts.roles import Role
from speckle_core.errors import ExperimentError
from speckle_core.experiment.components import (
    READING,
    SIMULATION,
    build,
    grid_of,
    write_defaults,
)
from speckle_core.experiment.fresh import FreshPatterns
from speckle_core.experiment.plain import parse
from speckle_core.experiment.presets import read_source
from speckle_core.experiment.schema import (
    Choice,
    check_distinct,
    converter,
    differences,
    reading_keys,
    structure,
    without_none,
)
from speckle_core.experiment.sections import Grid, Imported, Scattering, Storage, Structure, Target
from speckle_core.experiment.settings import apply_settings
from speckle_core.experiment.simulation import Simulation
from speckle_core.experiment.split import Split
from speckle_core.plugins.manager import PluginManager, plugin_manager

if TYPE_CHECKING:
    from speckle_core.experiment.pipeline import Pipeline


#: Those whose components results are named by.
_LABELLED = ("classifier", "baselines", "explainers")

#: What decides the patterns: of a simulated set, and of one that was measured.
_DECIDE = ("seed", "structure", "grid", "scattering", "detector")
_DECIDE_IMPORTED = ("grid", "imported")


def recipe_of(resolved: Experiment) -> dict[str, Any]:
    """Return the part of a resolved experiment that determines the patterns; needs no plugin."""
    data = resolved.to_dict()
    keys = _DECIDE_IMPORTED if resolved.imported else _DECIDE
    # Fresh patterns are not stored.
    data.get("structure", {}).pop("fresh", None)
    return {key: data[key] for key in keys if key in data}


@attrs.frozen(kw_only=True)
class Experiment:
    """One experiment; every field is a key of the TOML file.

    Parameters
    ----------
    name : str
        Name of the run folder and title of the report.
    description : str
        Its purpose, in a sentence or two.
    seed : int
        Determines every random number of data, split and training.
    structure, grid, scattering, storage, split
        See those classes.
    detector : Choice, optional
        The detector that records the simulated patterns; by default they stay as computed.
    prepare : tuple of Choice
        Preprocessors, in order.
    classifier : Choice
        The classifier to train.
    baselines : tuple of Choice
        Classifiers trained on the same patterns for comparison.
    imported : Imported, optional
        Measured patterns, in place of `structure` and `scattering`.
    explainers : tuple of Choice
        Explainers applied to the trained classifier.
    target : Target, optional
        A value that is learned in place of the number of particles as a class.

    Examples
    --------
    >>> from speckle_core import Experiment
    >>> experiment = Experiment.load("quickstart", ["classifier.epochs=3", "grid.size=65"])
    >>> experiment.seed, experiment.grid.size, experiment.classifier.options["epochs"]
    (20221115, 65, 3)
    """

    name: str
    description: str = ""
    seed: int = 0
    structure: Structure = attrs.field(factory=Structure)
    grid: Grid = attrs.field(factory=Grid)
    scattering: Scattering = attrs.field(factory=Scattering)
    detector: Choice | None = None
    storage: Storage = attrs.field(factory=Storage)
    prepare: tuple[Choice, ...] = ()
    split: Split = attrs.field(factory=Split)
    classifier: Choice = Choice("torch-resnet50")
    baselines: tuple[Choice, ...] = ()
    explainers: tuple[Choice, ...] = ()
    imported: Imported | None = None
    target: Target | None = None

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.seed < 2**63:
            raise ExperimentError("must be between 0 and 2**63 - 1", where="seed")
        plain = self.name.isprintable() and not set(self.name) & set("/\\")
        if not self.name or not plain or self.name[0] in ".-" or len(self.name.encode()) > 200:
            raise ExperimentError(f"{self.name[:200]!r} is not a valid folder name", where="name")
        keys = [choice.key for choice in self.baselines]
        check_distinct(self.baselines, keys, "baselines")
        check_distinct(self.baselines, reading_keys(self.classifier.key, keys)[1:], "baselines")
        check_distinct(self.explainers, [c.key for c in self.explainers], "explainers")
        for path, _, choice in self.choices():
            if choice.label and path.partition(".")[0] not in _LABELLED:
                raise ExperimentError(
                    "a label has no effect here",
                    where=f"{path}.label",
                    hint=f"Only {', '.join(_LABELLED)} can be labelled.",
                )
        if self.fresh and self.imported is not None:
            raise ExperimentError(
                "measured patterns cannot be simulated again",
                where="structure.fresh",
                hint="Leave out structure.fresh.",
            )
        if self.target is not None and self.target.quantity != "count":
            if self.imported is not None:
                raise ExperimentError(
                    "measured patterns have no stored bodies to learn it from",
                    where="target.quantity",
                    hint="Use 'count', or learn from simulated patterns.",
                )
            if self.fresh:
                raise ExperimentError(
                    "patterns that are simulated anew in every epoch have no stored bodies",
                    where="target.quantity",
                    hint="Use 'count', or leave out structure.fresh.",
                )
        self.sizes()
        if self.storage.store == "half" and self.grid.layout != "centered":
            raise ExperimentError(
                "a quadrant has no half that gives the other",
                where="storage.store",
                hint="Use 'whole' or 'recipe', or grid.layout = 'centered'.",
            )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], where: str = "experiment") -> Experiment:
        """Return the experiment described by nested plain `data`; `where` is its file.

        Raises
        ------
        ExperimentError
            For an unknown key, a wrong type or an invalid value, with its path.
        """
        return structure(data, cls, where)

    @classmethod
    def load(
        cls,
        source: str | Path,
        settings: Iterable[str] = (),
        *,
        on_note: Callable[[str], object] | None = None,
    ) -> Experiment:
        """Load an experiment from a preset or a TOML file and apply ``key=value`` settings.

        A setting that replaces a component drops the old component's options, and one that makes
        the set smaller scales a split given in whole numbers; both are reported to `on_note`.

        Raises
        ------
        ExperimentError
            When the preset or file does not exist, or is not valid.
        """
        where, text = read_source(source)
        data = parse(text, where)
        for note in apply_settings(data, settings, _component_defaults()):
            if on_note is not None:
                on_note(note)
        return cls.from_dict(data, where)

    def to_dict(self) -> dict[str, Any]:
        """Return the experiment as nested plain values, without keys that are not set."""
        data: dict[str, Any] = without_none(converter.unstructure(self))
        if self.storage == Storage():
            # Left out, so that such experiments read as before there was a choice.
            del data["storage"]
        if self.imported is not None:
            # Nothing was simulated, so no sampler, scatterer or detector is named.
            for key in SIMULATION:
                data.pop(key, None)
        elif not self.fresh:
            del data["structure"]["fresh"]
        return data

    def to_toml(self) -> str:
        """Return the experiment as the text of a TOML file for `load`."""
        return tomli_w.dumps(self.to_dict())

    @property
    def counts(self) -> tuple[int, ...]:
        """The classes, ascending."""
        if self.imported is not None:
            return tuple(sorted(set(self.imported.labels)))
        return self.structure.values

    @property
    def patterns(self) -> int:
        """The number of patterns of the set."""
        if self.imported is not None:
            return len(self.imported.labels)
        return len(self.counts) * self.structure.patterns_per_count

    def labels(self) -> IntArray:
        """Return the class of every pattern of the set, (N,); sorted where they are simulated."""
        if self.imported is not None:
            return np.asarray(self.imported.labels, dtype=np.int64)
        return np.repeat(np.asarray(self.counts), self.structure.patterns_per_count)

    @property
    def fresh(self) -> bool:
        """Whether training patterns are simulated in every epoch and not stored."""
        return self.structure.fresh

    def sizes(self) -> dict[str, int]:
        """Return the number of patterns in each part; for training, that of one epoch."""
        return self.split.sizes(self.patterns, len(self.counts), fresh=self.fresh)

    def parts(self, labels: IntArray) -> dict[str, NDArray[np.int64]]:
        """Return the stored patterns of each part as indices into the `labels` of a set.

        The training part is empty where it is simulated; see `Split.indices` and
        `speckle_core.experiment.fresh`.
        """
        return self.split.indices(labels, self.seed, fresh=self.fresh)

    def fresh_patterns(self, simulation: Simulation) -> FreshPatterns:
        """Return the training patterns that `simulation`, of this experiment, makes."""
        return FreshPatterns(simulation, self.counts, self.sizes()["train"], self.seed)

    def choices(self) -> list[tuple[str, Role, Choice]]:
        """Return every chosen component as (path in the file, role, choice)."""
        found: list[tuple[str, Role, Choice]] = []
        if self.imported is None:
            found.append(("structure.sampler", "sampler", self.structure.sampler))
            found.append(("scattering.scatterer", "scatterer", self.scattering.scatterer))
            if self.detector is not None:
                found.append(("detector", "detector", self.detector))
        found.append(("classifier", "classifier", self.classifier))
        lists: tuple[tuple[str, Role], ...] = (
            ("prepare", "preprocessor"),
            ("baselines", "classifier"),
            ("explainers", "explainer"),
        )
        for key, role in lists:
            found += [(f"{key}.{i}", role, c) for i, c in enumerate(getattr(self, key))]
        return found

    def resolved(
        self, manager: PluginManager | None = None, *, only: tuple[str, ...] = ()
    ) -> Experiment:
        """Return the experiment with all options checked and every default written out.

        Of a file that an option names (``FILE_OPTIONS`` of the component's class), the SHA-256 is
        written beside it, into the option of that name with ``_sha256``.

        With `only`, this is limited to the components below these keys.

        Raises
        ------
        PluginError, OptionError
            For an unknown component or an invalid option.
        """
        data = copy.deepcopy(self.to_dict())
        write_defaults(data, self.choices(), manager, only)
        data["grid"]["step"] = self.kgrid(manager).step
        return Experiment.from_dict(without_none(data), self.name)

    def departures(self, other: Experiment) -> list[str]:
        """Return the keys in which `other` differs, with the defaults of both written out.

        So an experiment recorded before an option existed still compares equal. Options that a
        component's class names in ``NEUTRAL_OPTIONS`` change no result, and are left out.

        Raises
        ------
        PluginError, OptionError
            For an unknown component or an invalid option.
        """
        found = differences(self.resolved().to_dict(), other.resolved().to_dict())
        manager = plugin_manager()
        neutral = {
            f"{path}.{name} ("
            for path, role, choice in self.choices()
            for name in getattr(manager.factory(role, choice.name), "NEUTRAL_OPTIONS", ())
        }
        return [key for key in found if not key.startswith(tuple(neutral))]

    def kgrid(self, manager: PluginManager | None = None) -> KGrid:
        """Return the grid; the default `step` is π / box, with the sampler's box."""
        return grid_of(self.grid, self.structure.sampler, manager)

    def data_recipe(self) -> dict[str, Any]:
        """Return the part that determines the patterns, with defaults written out."""
        return recipe_of(self.resolved(only=SIMULATION))

    def on_data_of(
        self, other: Experiment, *, on_note: Callable[[str], object] | None = None
    ) -> Experiment:
        """Return this experiment on the measured patterns of `other`, if those were imported.

        A split for another number of patterns is scaled to them, which is reported to `on_note`.
        """
        if other.imported is None:
            return self
        split, note = self.split.on(other.labels())
        if note and on_note is not None:
            on_note(note)
        if split.stratify is None:
            split = attrs.evolve(split, stratify=split.test_per_class is None)
        return attrs.evolve(self, imported=other.imported, grid=other.grid, split=split)

    def build(
        self,
        manager: PluginManager | None = None,
        *,
        only: Collection[str] = SIMULATION + READING,
        where: str = "",
    ) -> Pipeline:
        """Build the pipeline: create all components, or `only` some.

        Parameters
        ----------
        manager : PluginManager, optional
            Source of the components; by default all installed plugins.
        only : collection of str
            Keys whose components are created, from `SIMULATION` and `READING`. Generating data
            needs no machine-learning framework, and loading a model needs no sampler.
        where : str
            The file, for error messages.

        Raises
        ------
        PluginError, OptionError
            For a component that cannot be created.
        """
        return build(self.choices(), self.kgrid(manager), manager, only, where)


def _component_defaults() -> dict[str, str]:
    """Return path and default name of every component that a file may omit."""
    kinds = ((Structure, "structure."), (Scattering, "scattering."), (Experiment, ""))
    return {
        f"{prefix}{field.name}": field.default.name
        for kind, prefix in kinds
        for field in attrs.fields(kind)
        if isinstance(field.default, Choice)
    }
