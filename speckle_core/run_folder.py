"""The record of a run folder: its experiment, the finished stages and the files they wrote.

``run.json`` is written first, and again at the end of every stage. Nothing here runs a stage.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import attrs

from speckle_core.analysis.evaluation import Evaluation
from speckle_core.analysis.value_evaluation import ValueEvaluation
from speckle_core.data.manifest import read
from speckle_core.experiment.experiment import Experiment
from speckle_core.experiment.ownership import OwnedFolder, is_new
from speckle_core.experiment.provenance import versions
from speckle_core.experiment.schema import reading_keys
from speckle_core.files import clear, make_folder, sweep, write_text
from speckle_core.locks import lock_folder
from speckle_core.notes import digests, find_damage, read_text, write_json

FORMAT = 1
MANIFEST = "run.json"
TOML = "experiment.toml"
_KEYS = {"format", "experiment", "versions", "stages", "clearing"}


@attrs.define(repr=False)
class RunFolder:
    """An experiment in its folder, and its progress.

    Parameters
    ----------
    folder : Path
        With ``data``, ``model``, ``evaluation``, ``explanations``, ``report.html``, ``run.json``.
    experiment : Experiment
        Resolved: every default written out.
    stages : dict
        Duration of each finished stage [s], by name.
    files : dict
        SHA-256 of the files of each finished stage, by stage and path in the folder.
    clearing : bool
        Whether an earlier run is still to be removed.
    """

    folder: Path
    experiment: Experiment
    stages: dict[str, float] = attrs.field(factory=dict)
    files: dict[str, dict[str, str]] = attrs.field(factory=dict)
    clearing: bool = False

    def __repr__(self) -> str:
        """Return its folder, experiment and finished stages."""
        done = ", ".join(self.stages) or "nothing"
        return f"<{type(self).__name__} {self.folder}: {self.experiment.name}, {done} done>"

    @classmethod
    def begin(cls, experiment: Experiment, folder: Path, *, fresh: bool = False) -> Self:
        """Return the run of `experiment` in `folder`: a new one, or the one to resume.

        With `fresh`, an earlier run there is removed first; nothing but a run is ever removed.

        Raises
        ------
        OutputError
            When the folder contains another experiment or something else, or another process is
            writing to it.
        """
        resolved = experiment.resolved()
        cls._find_existing(resolved, folder, fresh)
        with lock_folder(make_folder(folder), "run"):
            run = cls._find_existing(resolved, folder, fresh)
            if run is None:
                # Write this first, so that an interrupted run can be resumed.
                run = cls(folder, resolved, clearing=fresh)
                run._write()
            if run.clearing:
                clear(folder, keep=(MANIFEST,))
                run.clearing = False
                run._write()
            sweep(folder)
            run._write_toml()
        return run

    @classmethod
    def known_stages(cls, experiment: Experiment, folder: Path, *, fresh: bool) -> list[str]:
        """Return the stages that `begin` would find done in `folder`; nothing is written.

        Raises
        ------
        OutputError
            When the folder contains the run of another experiment, or something else.
        """
        known = cls._find_existing(experiment.resolved(), folder, fresh)
        return [] if known is None else list(known.stages)

    @classmethod
    def _find_existing(cls, resolved: Experiment, folder: Path, fresh: bool) -> Self | None:
        """Return the run to resume in `folder`, or None if a new one may start."""
        if not fresh:
            return cls._kind().find(resolved, folder)
        known = None if is_new(folder) else cls.open(folder)
        if known is None or not known.clearing or resolved.departures(known.experiment):
            return None
        return known

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open the run in `folder`.

        Raises
        ------
        OutputError
            When it is not a speckle run folder.
        """
        return cls._kind().read(folder)

    @classmethod
    def _kind(cls) -> OwnedFolder[Self]:
        return OwnedFolder("run", MANIFEST, FORMAT, cls._parse, ", or start over with --fresh")

    @classmethod
    def _parse(cls, folder: Path, data: dict[str, Any], experiment: Experiment) -> Self:
        """Return the run that ``run.json`` describes; a ValueError or so for what is wrong."""
        if unknown := data.keys() - _KEYS:
            raise ValueError(f"unknown key {min(unknown)!r}")
        stages = {name: float(stage["seconds"]) for name, stage in data["stages"].items()}
        files = {name: dict(stage.get("files", {})) for name, stage in data["stages"].items()}
        return cls(folder, experiment, stages, files, data.get("clearing") is True)

    @classmethod
    def rescue(cls, folder: Path) -> Self:
        """Return the run in `folder` from its ``experiment.toml``, when ``run.json`` is damaged.

        No stage counts as finished, so each checks what it finds.

        Raises
        ------
        ExperimentError
            When that file cannot be read either.
        """
        resolved = Experiment.load(folder / TOML).resolved()
        with lock_folder(folder, "verify --repair"):
            run = cls(folder, resolved)
            run._write()
        return run

    def _write(self) -> None:
        stages = {
            name: {"seconds": seconds, "files": self.files.get(name, {})}
            for name, seconds in self.stages.items()
        }
        data: dict[str, Any] = {
            "format": FORMAT,
            "experiment": self.experiment.to_dict(),
            "versions": versions(self.experiment),
            "stages": stages,
        }
        write_json(self.folder / MANIFEST, data | ({"clearing": True} if self.clearing else {}))

    def _write_toml(self) -> None:
        """Write the experiment to a separate file for readers, unless it is already there."""
        path, text = self.folder / TOML, self.experiment.to_toml()
        try:
            if read_text(path) == text:
                return
        except (OSError, ValueError):
            pass
        write_text(path, text)

    def finish(self, stage: str, seconds: float, parts: Sequence[str]) -> None:
        """Record that `stage` is finished, with the SHA-256 of its files at or below `parts`."""
        self.stages[stage] = seconds
        self.files[stage] = digests(self.folder, parts)
        self._write()

    def find_damage(self, stage: str, parts: Sequence[str] = ()) -> dict[str, str]:
        """Return the faults in the files of a finished stage, by path in the folder.

        A run of version 0.1.0 recorded no files; there, `parts` must at least exist.
        """
        recorded = self.files.get(stage)
        found = find_damage(self.folder, recorded or {})
        if not recorded:
            found |= {p: "is missing" for p in parts if not (self.folder / p).exists()}
        if stage == "generate" and not found:
            manifest = read(self.data)
            shards = find_damage(self.data, {r.name: r.sha256 for r in manifest.shards})
            found = {f"{self.data.name}/{name}": what for name, what in shards.items()}
        return found

    @property
    def data(self) -> Path:
        """The data set's folder."""
        return self.folder / "data"

    @property
    def model(self) -> Path:
        """The model's folder."""
        return self.folder / "model"

    @property
    def explanations(self) -> Path:
        """The folder of maps and their analysis."""
        return self.folder / "explanations"

    @property
    def solutions(self) -> Path:
        """The folder of solved patterns, present if the classifier or a baseline uses a solver."""
        return self.folder / "solutions"

    @property
    def report(self) -> Path:
        """The report's file."""
        return self.folder / "report.html"

    def evaluations(self) -> dict[str, Evaluation]:
        """Return the evaluation of the classifier, first, and of every baseline.

        Raises
        ------
        DataError
            When one is missing or damaged, as all are in a run that learned a value; see
            `value_evaluations`.
        """
        return {key: Evaluation.load(folder) for key, folder in self._evaluated().items()}

    def value_evaluations(self) -> dict[str, ValueEvaluation]:
        """Return the same for a run that learned a value (`Experiment.target`)."""
        return {key: ValueEvaluation.load(folder) for key, folder in self._evaluated().items()}

    def _evaluated(self) -> dict[str, Path]:
        keys = reading_keys(
            self.experiment.classifier.key, [c.key for c in self.experiment.baselines]
        )
        return {key: self.folder / "evaluation" / key for key in keys}
