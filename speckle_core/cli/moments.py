"""``speckle moments``: the conventional analysis that the paper compares its network with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from speckle_core.cli.frame_options import with_frame_options
from speckle_core.cli.options import Files, Json

if TYPE_CHECKING:
    from speckle_core.analysis.first_moments import FirstMoments
    from speckle_core.data.frame_options import FrameOptions
    from speckle_core.data.measured import Measured


@with_frame_options
def moments(files: Files, *, frames: FrameOptions, as_json: Json = False) -> None:
    """Print the first moment of patterns by the paper's four definitions, in pixels.

    Files hold one pattern or a stack, in raw intensity, with k = 0 in the middle pixel unless it
    is said otherwise: raw is the mean distance from it, weighted by intensity; shifted and
    absolute weight by the standardized intensity and its magnitude; normalized is raw after a
    min-max scaling. All are taken over the pixels that count, none of them filled.

    For example:

      speckle moments pattern.npy
      speckle moments scans/*.h5 --json
      speckle moments frame.tif --invalid negative --center auto
    """
    import attrs

    from speckle_core.analysis.first_moments import FirstMoments
    from speckle_core.cli.files import Failures, each_frame
    from speckle_core.cli.output import print_json, print_table

    names = [field.name for field in attrs.fields(FirstMoments)]
    found: list[dict[str, str | int | float]] = []
    failures = Failures()
    for file, _, number, values in each_frame(files, frames, _moments, failures):
        about: dict[str, str | int | float] = {"file": str(file), "pattern": number}
        found.append(about | {name: float(getattr(values, name)[0]) for name in names})
    if as_json:
        print_json({"unit": "pixel", "moments": found, "errors": failures.to_json()})
    elif found:
        print_table(
            ("file", "pattern", *names),
            [(f["file"], f["pattern"], *(f"{f[name]:.4f}" for name in names)) for f in found],
        )
    failures.end()


def _moments(measured: Measured, index: int) -> FirstMoments:
    from speckle_core.analysis.first_moments import moments_about

    frame = measured.frame(index)
    center = measured.center(frame)
    return moments_about(frame.counts, center, valid=frame.valid)
