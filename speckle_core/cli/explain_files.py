"""``speckle explain MODEL FILE``: maps of patterns from files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from speckle_core.cli.output import echo

if TYPE_CHECKING:
    from speckle_core.data.frame_options import FrameOptions
    from speckle_core.data.measured import Measured
    from speckle_core.experiment.schema import Choice


def explain_files(
    model: Path,
    files: list[Path],
    choices: tuple[Choice, ...],
    output: Path,
    *,
    frames: FrameOptions,
    as_json: bool,
) -> None:
    """Write maps of every pattern in `files` to `output`, and print the predictions."""
    import attrs

    from speckle_core.cli.failure import usage
    from speckle_core.cli.files import Failures, each_frame
    from speckle_core.cli.output import print_json
    from speckle_core.cli.value_output import value_json
    from speckle_core.errors import ExperimentError, UnknownComponentError
    from speckle_core.explain.frames import explain_frame
    from speckle_core.models.answer import ValueAnswer
    from speckle_core.models.trained import load_model

    trained = load_model(model)
    with usage(ExperimentError, UnknownComponentError):
        experiment = attrs.evolve(trained.experiment, explainers=choices)
        explainers = experiment.build(only=("explainers",)).explainers

    def read(measured: Measured, index: int) -> Any:
        found, step_known = measured.on_grid(index, trained.grid)
        ready = trained.pipeline.prepared(found.pattern, valid=found.valid)[0]
        return ready, found, step_known

    failures = Failures()
    told: list[dict[str, Any]] = []
    for file, _, index, (prepared, frame, known) in each_frame(files, frames, read, failures):
        name = f"{file.stem}-{index:05d}"
        answer, drawn = explain_frame(
            trained, prepared, explainers, output, name=name, found=frame, step_known=known
        )
        told.append({"file": str(file), "pattern": index, "pictures": drawn})
        if isinstance(answer, ValueAnswer):
            told[-1] |= value_json(answer)
        else:
            told[-1] |= attrs.asdict(answer, filter=lambda a, _: a.name != "probabilities")
        if not as_json:
            why = f"; far from the training data: {answer.why}" if answer.far else ""
            if answer.far is None:
                why = f"; not measured: {', '.join(answer.not_measured)}"
            if isinstance(answer, ValueAnswer) and answer.outside:
                why = f"; outside of the training values{why}"
            echo(f"{file}, pattern {index}: {answer.told}{why}")
    if as_json:
        errors = failures.to_json()
        print_json({"folder": str(output), "patterns": told, "errors": errors})
    elif told:
        echo(f"pictures: {output}")
    failures.end()
