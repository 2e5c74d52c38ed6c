"""``speckle moments``: the conventional analysis that the paper compares its network with."""

from __future__ import annotations

from speckle_core.cli.options import Files, Inside, Json


def moments(files: Files, dataset: Inside = None, as_json: Json = False) -> None:
    """Print the first moment of patterns in the paper's four definitions, in pixels.

    A file contains one pattern or a stack, as raw intensity, with k = 0 in the middle pixel.
    raw is the mean distance from it, weighted by intensity; shifted and absolute are weighted
    by the standardized intensity and its magnitude; normalized is raw after min-max scaling.

    For example:

      speckle moments pattern.npy
      speckle moments scans/*.h5 --json
    """
    import attrs

    from speckle_core.analysis.first_moments import FirstMoments, first_moments
    from speckle_core.cli.files import error_location, pixel_grid, read_batches
    from speckle_core.cli.output import print_json, print_table

    names = [field.name for field in attrs.fields(FirstMoments)]
    found: list[dict[str, str | int | float]] = []
    for file, _, first, patterns in read_batches(files, dataset):
        with error_location(file, first):
            values = first_moments(patterns, pixel_grid(patterns))
        columns = (getattr(values, name).tolist() for name in names)
        for number, row in enumerate(zip(*columns, strict=True), start=first):
            about: dict[str, str | int | float] = {"file": str(file), "pattern": number}
            found.append(about | dict(zip(names, row, strict=True)))
    if as_json:
        print_json({"unit": "pixel", "moments": found})
        return
    print_table(
        ("file", "pattern", *names),
        [(f["file"], f["pattern"], *(f"{f[name]:.4f}" for name in names)) for f in found],
    )
