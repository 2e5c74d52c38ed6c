"""What is worth a card, in order of value, as the commands that anyone could type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs

Command = list[str]

#: A test set of other systems than a training's: its own seed, 100 patterns of each n.
FRESH = (
    "seed=20221116",
    "structure.patterns_per_count=100",
    "split={train = 0.5, valid = 0.2, test = 0.3}",
)
SHARED = (
    "name=paper-poly-257-shared-sizes",
    "structure.sampler.radii_per=count",
    "structure.sampler.of=area",
)
#: A card takes more patterns a second than are read and prepared.
CACHED = ("classifier.cache=true",)
#: Larger patterns are standardized by the pixels that the network was trained on, and cut to them.
WINDOWED = ("prepare.1.window=[0.0, 0.2011]", "classifier.crop=257")
ONE_CYCLE = (
    "classifier.channels=1",
    "classifier.epochs=20",
    "classifier.schedule=one-cycle",
    "classifier.augment=flips",
)


@attrs.frozen
class Job:
    """One experiment from its data to its figures.

    `draws` are figures of `examples/paper/figures.py`; `larger` names a preset whose patterns the
    same network reads.
    """

    name: str
    says: str
    preset: str
    changes: Sequence[str] = ()
    draws: Sequence[str] = ()
    larger: str | None = None

    def commands(self, root: Path, settings: Sequence[str]) -> Iterator[Command]:
        """Yield what to run, with paths as seen from the output folder."""
        data, model, read = (f"{kind}/{self.name}" for kind in ("data", "models", "evaluations"))
        given = _sets([*CACHED, *self.changes, *settings])
        yield ["speckle", "generate", self.preset, "-o", data, *given]
        yield ["speckle", "train", self.preset, "--data", data, "-o", model, *given]
        yield ["speckle", "evaluate", model, "--data", data, "-o", read]
        for figure in self.draws:
            yield _draw(root, figure, read, f"results/{self.name}-{figure}", model)
        if self.larger is not None:
            data, read = f"data/{self.larger}", f"evaluations/{self.name}-larger"
            given = _sets([*FRESH, *settings])
            yield ["speckle", "generate", self.larger, "-o", data, *given]
            yield ["speckle", "evaluate", model, "--data", data, "--split", "all", "-o", read]
            yield _draw(root, "figure4", read, f"results/{self.name}-figure4", model)


@attrs.frozen
class Speed:
    """How many images a second the network trains at: the way it is meant for, and the paper's."""

    name: str = "speed"
    says: str = "bfloat16 in large batches, beside float32 in batches of 40"

    def commands(self, root: Path, _: Sequence[str]) -> Iterator[Command]:
        """Yield what to run; experiments' settings do not matter here."""
        script = str(root / "benchmarks" / "training_loop_torch.py")
        for precision, batch in (("bfloat16", 256), ("float32", 40)):
            yield [
                "python", script, "--size", "257", "--patterns", str(10 * batch),
                "--batch-size", str(batch), "--precision", precision, "--rounds", "5",
            ]  # fmt: skip


def _sets(settings: Sequence[str]) -> Command:
    return [word for setting in settings for word in ("--set", setting)]


def _draw(root: Path, figure: str, read: str, output: str, model: str) -> Command:
    script = str(root / "examples" / "paper" / "figures.py")
    network = f"{read}/torch-resnet50"
    return ["python", script, figure, network, "-o", output, "--model", model]


_ALL: tuple[Job | Speed, ...] = (
    Job(
        "mono",
        "the paper's monodisperse task, 200 epochs; then 513² patterns",
        "paper-mono-257",
        draws=("figure3",),
        larger="paper-mono-513",
    ),
    Job(
        "coded-mono",
        "the same on the authors' grid",
        "authors-mono-257",
        draws=("figure3",),
        larger="authors-mono-513",
    ),
    Job(
        "windowed",
        "figure 4 as a transfer: statistics of the trained window also at 513²",
        "paper-mono-257",
        changes=WINDOWED,
        draws=("figure3",),
        larger="paper-mono-513",
    ),
    Job(
        "mono-513",
        "figure 4 as the authors' script has it: trained at 513²",
        "paper-mono-513",
        draws=("figure4",),
    ),
    Job(
        "poly",
        "polydisperse, sizes drawn afresh for every pattern, as written",
        "paper-poly-257",
        draws=("figure5", "table1"),
    ),
    Job(
        "coded-poly",
        "polydisperse, sizes shared by a class, as coded",
        "authors-poly-257",
        draws=("figure5", "table1"),
    ),
    Job(
        "shared",
        "sizes shared by a class, on the text's grid",
        "paper-poly-257",
        changes=SHARED,
        draws=("figure5", "table1"),
    ),
    Job(
        "fixed",
        "one radius for every n, where the profile says nothing",
        "fixed-radius-257",
        draws=("figure3",),
    ),
    *(
        Job(
            f"one-cycle-{seed}",
            "monodisperse in 20 epochs with mirror images, one of three seeds",
            "paper-mono-257",
            changes=(*ONE_CYCLE, f"seed={seed}"),
            draws=("figure3",),
        )
        for seed in (20221115, 20221116, 20221117)
    ),
    Speed(),
)
JOBS: dict[str, Job | Speed] = {job.name: job for job in _ALL}
