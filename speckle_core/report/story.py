"""A report's sentences: what was run, and when not to believe the model that came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from speckle_core.analysis.calibration import Calibration
from speckle_core.analysis.evaluation import Evaluation
from speckle_core.contracts.arrays import IntArray
from speckle_core.contracts.grid import KGrid


def story(
    experiment: Mapping[str, Any], classes: Sequence[int] | IntArray, tested: int
) -> Iterator[str]:
    """Iterate over sentences that describe the experiment; missing keys are left out."""
    structure, grid = experiment.get("structure", {}), experiment.get("grid", {})
    scattering, split = experiment.get("scattering", {}), experiment.get("split", {})
    many = structure.get("patterns_per_count")
    span = f"the {len(classes)} numbers of particles from {classes[0]} to {classes[-1]}"
    yield (
        f"For each of {span}, {f'{many} ' if many else ''}random configurations were drawn by the "
        f"sampler “{component_name(structure.get('sampler'))}”."
    )
    size = f" on {grid['size']} × {grid['size']} points of k space" if "size" in grid else ""
    yield (
        f"Their speckle patterns were computed by the scatterer "
        f"“{component_name(scattering.get('scatterer'))}”{size}."
    )
    if steps := [f"“{component_name(step)}”" for step in experiment.get("prepare", ())]:
        yield f"Each pattern was then prepared by {', then '.join(steps)}."
    learned = [
        f"{split[part]} patterns" if isinstance(split[part], int) else f"{split[part]:.0%} of them"
        for part in ("train", "valid")
        if part in split
    ]
    if structure.get("fresh") and len(learned) == 2:
        yield (
            f"The network was trained on {learned[0]} in each epoch, simulated anew every time, "
            "and never stored; rules that are fitted once saw those of the first. All were "
            f"validated on {learned[1]}."
        )
    elif len(learned) == 2:
        yield f"The classifiers were trained on {learned[0]} and validated on {learned[1]}."
    yield f"All were tested on the same {tested} unseen patterns."


def samples(readings: Mapping[str, Evaluation]) -> Iterator[str]:
    """Iterate over sentences about classifiers that were evaluated on a sample."""
    for name, reading in readings.items():
        if reading.places is not None:
            yield (
                f"Because it is slow, {name} was evaluated on {len(reading)} of them, drawn at "
                "random; comparisons with it use these only."
            )


def limits(
    experiment: Mapping[str, Any], grid: KGrid, network: Evaluation, found: Calibration | None
) -> Iterator[tuple[str, str]]:
    """Iterate over (what, sentence): where the answers of this model stop meaning anything."""
    classes = network.classes
    yield (
        "Number of particles",
        f"It knows {classes[0]} to {classes[-1]} and always answers one of them: {classes[-1] + 1} "
        f"particles are read as something else, with whatever probability.",
    )
    yield from limits_of_training(experiment, grid)
    if found is not None:
        yield (
            "Its probabilities",
            f"They miss the share of right answers by {found.error:.3f} on average (expected "
            "calibration error, on test patterns like the training ones). Far from these they mean "
            "nothing.",
        )


def limits_of_training(experiment: Mapping[str, Any], grid: KGrid) -> Iterator[tuple[str, str]]:
    """Iterate over the limits that follow from the patterns that a model was trained on."""
    structure = experiment.get("structure", {})
    yield (
        "Bodies",
        f"It saw those of the sampler “{component_name(structure.get('sampler'))}” alone. Other "
        "shapes, sizes or packings are another task.",
    )
    far = grid.step * (grid.size - 1 - grid.origin)
    yield (
        "Scale of k",
        f"A pixel was {grid.step:.4g} in k (1 / the box's unit of length), the edge at {far:.4g}. "
        "On another step rings lie elsewhere, and the answer is wrong without a sign of it.",
    )
    yield (
        "Size and centre",
        f"Patterns had {grid.size} × {grid.size} pixels with k = 0 "
        f"{'in the middle pixel' if grid.layout == 'centered' else 'in the corner'}. A centre that "
        "is off by a few pixels, or another size, can make most answers wrong.",
    )
    steps = ", ".join(component_name(step) for step in experiment.get("prepare", ())) or "none"
    yield (
        "Brightness",
        f"Patterns were prepared by: {steps}. What changes a pattern's brightness after that, such "
        "as a larger dark margin, takes it away from the training data.",
    )
    detector = experiment.get("detector") or experiment.get("scattering", {}).get("detector")
    yield (
        "Photons",
        f"Patterns were recorded by the detector “{component_name(detector)}”; other counts or "
        "noise were not seen."
        if detector
        else "Training patterns had no noise: neither photon counting, nor background, nor dead "
        "pixels, nor partial coherence. Nothing here tells how it reads a weak exposure.",
    )


def component_name(choice: Any) -> str:
    """Return the name of a component as an experiment gives it: a table or a bare name."""
    return str(choice.get("name", "?") if isinstance(choice, Mapping) else choice or "?")
