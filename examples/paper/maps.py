"""The pages of the paper's SI: for each explainer one pattern of every class, map and overlay."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray
from record import save_picture, write_csv, write_json

from speckle_core.contracts.grid import KGrid
from speckle_core.errors import DataError
from speckle_core.experiment.experiment import Experiment
from speckle_core.figures import map_page
from speckle_core.run_folder import MANIFEST


def maps(explanations: Path, output: Path, experiment: Experiment | None = None) -> None:
    """Write a page of every explainer in the folder `explanations` into `output`.

    `peaks.csv` says where along k the maps of each class are densest, beside the first zero of the
    form factor, and how alike those of random weights rank the pixels; `deletion.csv` what accuracy
    is left as pixels go. The record names `experiment`, or that of the run which holds the
    explanations.
    """
    path = explanations / "explanations.h5"
    try:
        with h5py.File(path) as file:
            drawn = {name: file["maps"][name][()] for name in file["maps"]}
            found = {name: file[name][()] for name in ("patterns", "labels", "targets", "index")}
            analysed = list(file.get("analysis", ()))
            peaks = [row for name in analysed for row in _peaks(name, file)]
            deleted = [row for name in analysed for row in _deletion(name, file)]
    except (OSError, KeyError) as error:
        raise DataError(f"holds no explanations ({error})", where=str(path)) from error
    experiment = experiment or _of_run(explanations)
    size = found["patterns"].shape[-1]
    # Without a run the step is not known; the pages carry no scale of k.
    grid = KGrid.centered(size, 1.0) if experiment is None else experiment.kgrid()
    order = np.unique(found["labels"], return_index=True)[1]
    chosen: dict[str, Any] = {name: values[order] for name, values in found.items()}
    for name, values in drawn.items():
        page = map_page(
            chosen["patterns"],
            values[order],
            chosen["labels"],
            chosen["targets"],
            grid=grid,
            title=name,
        )
        save_picture(page, output / f"{name}.png")
    rows = zip(*(chosen[key].tolist() for key in ("index", "labels", "targets")), strict=True)
    write_csv(output / "maps.csv", ("pattern", "n", "explained class"), rows)
    if peaks:
        header = ("explainer", "n", "first zero", "peak", "peak, random weights")
        more = ("share in lobe", "area of lobe", "agreement with random weights")
        write_csv(output / "peaks.csv", (*header, *more), peaks)
        columns = ("explainer", "share of pixels", "most attributed", "random")
        write_csv(output / "deletion.csv", columns, deleted)
    write_json(output / "maps.json", experiment, explainers=list(drawn), patterns=len(order))


def _peaks(name: str, file: h5py.File) -> list[tuple[Any, ...]]:
    """Return a row for every class: k in 1 / unit of length, shares of 1."""
    about = {key: item[()] for key, item in file["analysis"][name].items() if key != "deletion"}
    k, zeros = about["k"], about["zeros"]
    columns = (
        about["classes"],
        zeros[:, 0] if zeros.shape[1] else np.full(len(zeros), np.nan),
        _densest(k, about["attribution"]),
        _densest(k, about["control"]),
        about["share"],
        about["area"],
        about["agreement"],
    )
    return [(name, *row) for row in zip(*(c.tolist() for c in columns), strict=True)]


def _deletion(name: str, file: h5py.File) -> list[tuple[Any, ...]]:
    """Return a row for every share of the pixels: the accuracy with the two kinds replaced."""
    curve = file["analysis"][name]["deletion"]
    columns = (curve[key][()].tolist() for key in ("fractions", "most_attributed", "random"))
    return [(name, *row) for row in zip(*columns, strict=True)]


def _densest(k: NDArray[np.float64], density: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the k of the densest ring of each class, NaN where a class has no density."""
    known = np.isfinite(density).any(axis=1)
    places = np.argmax(np.where(np.isnan(density), -np.inf, density), axis=1)
    return np.where(known, k[places], np.nan)


def _of_run(explanations: Path) -> Experiment | None:
    manifest = explanations.parent / MANIFEST
    if not manifest.is_file():
        return None
    return Experiment.from_dict(json.loads(manifest.read_text("utf-8"))["experiment"], MANIFEST)
