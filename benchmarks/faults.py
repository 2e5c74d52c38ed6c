"""What a trained model makes of frames with one fault each, as they come and with the truth told.

    python benchmarks/faults.py MODEL_DIR -o docs/results/faults

The model is of a monodisperse preset at 129 pixels, such as that of
`speckle run quickstart-resnet50`. Patterns are of other systems than it was trained on. Of each
fault: how many are read rightly, how many called far or not measured, how many refused, and how
many wrongly read and called neither, which is what must not be. The second time only the k step
is told, as by a file that states it, and the third time the options say all that is true of the
frame. With `--photons 1e5`, every frame that a fault does not count itself has photon noise.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from speckle_core import FrameOptions, KGrid, SpeckleError, create
from speckle_core.data.measured import Measured
from speckle_core.models.trained import TrainedModel, load_model

SIZE, STEP = 129, np.pi / 2000
Frame = NDArray[Any]
SEEDS = range(2)


def systems() -> list[tuple[int, Any]]:
    sampler = create("sampler", "monodisperse")
    return [
        (n, sampler.sample(n, np.random.default_rng([n, seed, 7])))
        for n in range(2, 12)
        for seed in SEEDS
    ]


def pattern(system: Any, *, size: int = SIZE, step: float = STEP) -> Frame:
    found = create("scatterer", "analytic").intensity(system, KGrid.centered(size, step))
    return np.asarray(found, dtype=np.float64)


def cornered(system: Any) -> Frame:
    """Return 130 pixels a side, k = 0 at the corner of four."""
    return pattern(system, size=2 * SIZE + 1, step=STEP / 2)[::2, ::2]


def counted(frame: Frame, photons: float) -> Frame:
    middle = len(frame) // 2
    seen = np.ones(frame.shape, dtype=bool)
    seen[middle - 5 : middle + 6, middle - 5 : middle + 6] = False
    return np.random.default_rng(1).poisson(frame * photons / frame[seen].sum())


def gapped(frame: Frame, value: float) -> Frame:
    out = frame.astype(np.float64 if np.isnan(value) else np.int64)
    out[80:87] = out[:, 30:34] = value
    return out


def stopped(frame: Frame) -> Frame:
    out = frame.copy()
    out[:64, 61:68] = 0
    return out


def blurred(frame: Frame, width: float) -> Frame:
    found: Frame = ndimage.gaussian_filter(frame, width)
    return found


def faults() -> Iterator[tuple[str, Callable[[Any], Frame], dict[str, Any]]]:
    """Give name, what makes the frame of a system, and what is true of it."""
    known = {"step": STEP}
    yield "none", pattern, known
    for off in (1, 2, 3, 5, 10, 20):
        yield (
            f"beam centre {off} pixels off",
            lambda s, off=off: pattern(s, size=SIZE + 64)[32:-32, 32 + off : 32 + off + SIZE],
            {"center": (64, 64 - off), **known},
        )
    for ratio in (0.8, 0.9, 0.95, 1.05, 1.1, 1.25, 2.0):
        yield (
            f"k step {ratio} of the model's",
            lambda s, ratio=ratio: pattern(s, step=STEP * ratio),
            {"step": STEP * ratio},
        )
    for ratio in (0.8, 0.95):
        yield (
            f"k step {ratio}, on as many more pixels",
            lambda s, ratio=ratio: pattern(s, size=int(SIZE / ratio) | 1, step=STEP * ratio),
            {"step": STEP * ratio},
        )
    yield "65 pixels of 129", lambda s: pattern(s)[32:97, 32:97], known
    yield "127 pixels", lambda s: pattern(s)[1:-1, 1:-1], known
    yield "even, 128 pixels", lambda s: pattern(s)[:128, :128], {"center": (64, 64), **known}
    yield "even, k = 0 between pixels", cornered, {"center": (64.5, 64.5), **known}
    for photons in (1e6, 1e5, 3e4, 1e4, 1e3):
        yield f"{photons:.0e} photons", lambda s, p=photons: counted(pattern(s), p), known
    for value in (-1, 2**32 - 1, np.nan):
        yield (
            f"1e6 photons, gaps = {value:g}",
            lambda s, v=value: gapped(counted(pattern(s), 1e6), v),
            known | ({"invalid": (str(int(value)),)} if value > 0 else {}),
        )
    mask = np.zeros((SIZE, SIZE), dtype=np.uint8)
    mask[:64, 61:68] = 1
    yield (
        "1e6 photons, arm of a beamstop",
        lambda s: stopped(counted(pattern(s), 1e6)),
        {
            "mask": mask,
            **known,
        },
    )
    for width in (0.5, 1.0):
        yield f"point spread {width} pixels", lambda s, w=width: blurred(pattern(s), w), known
    for length in (2000.0, 700.0):
        beam = create("scatterer", "gaussian-schell", beam=None, coherence=length)
        yield (
            f"coherence length {length:g} of a box of 2000",
            lambda s, b=beam: b.intensity(s, KGrid.centered(SIZE, STEP)),
            known,
        )
    yield "logarithm already taken", lambda s: np.log10(1 + pattern(s)), known


def tried(
    model: TrainedModel, frames: list[Frame], labels: list[int], told: dict[str, Any]
) -> dict[str, float]:
    """Return the shares of patterns of each outcome."""
    ready, about, refused = [], [], 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frame.npy"
        if "mask" in told:
            np.save(Path(folder) / "mask.npy", told["mask"])
            told = told | {"mask": str(Path(folder) / "mask.npy")}
        for frame, label in zip(frames, labels, strict=True):
            np.save(path, frame)
            try:
                found, known = Measured(path, FrameOptions(**told)).on_grid(0, model.grid)
                prepared = model.pipeline.prepared(found.pattern, valid=found.valid)[0]
            except SpeckleError:
                refused += 1
                continue
            ready.append((prepared, found.valid, found.measured))
            about.append((label, known))
    right = far = unknown = wrong = 0
    if ready:
        prepared, valid, measured = (np.stack(part) for part in zip(*ready, strict=True))
        for answer, (label, known) in zip(
            model.answers(prepared, valid, measured), about, strict=True
        ):
            right += answer.number == label
            far += answer.far
            unknown += not known and not answer.far
            wrong += answer.number != label and not answer.far and known
    counts = {"right": right, "far": far, "not measured": unknown, "refused": refused}
    return {k: v / len(frames) for k, v in {**counts, "wrong and believed": wrong}.items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("-o", dest="output", type=Path, required=True)
    parser.add_argument("--photons", type=float)
    parser.add_argument("--name", default="faults")
    asked = parser.parse_args()
    model = load_model(asked.model, baselines=False)
    labels, drawn = zip(*systems(), strict=True)
    asked.output.mkdir(parents=True, exist_ok=True)
    with (asked.output / f"{asked.name}.csv").open("w", newline="") as file:
        writer = None
        for name, make, truth in faults():
            frames = [make(system) for system in drawn]
            if asked.photons and not any(word in name for word in ("photons", "logarithm")):
                frames = [counted(frame, asked.photons) for frame in frames]
            row: dict[str, Any] = {"fault": name}
            step = {"step": truth["step"]}
            for way, told in (("as it comes", {}), ("step told", step), ("told", truth)):
                shares = tried(model, frames, list(labels), told)
                row |= {f"{way}: {key}": f"{share:.2f}" for key, share in shares.items()}
            writer = writer or csv.DictWriter(file, list(row), lineterminator="\n")
            if file.tell() == 0:
                writer.writeheader()
            writer.writerow(row)
            file.flush()
            print(row, flush=True)


if __name__ == "__main__":
    main()
