"""Scores of a `specklenet` model on fresh patterns, beside rules and the solver on the same ones.

    speckle evaluate MODEL --data DATA_DIR --split all --json -o EVALUATION > EVALUATION.json
    python benchmarks/specklenet_scores.py EVALUATION --data DATA_DIR --solve 190 --name poly \\
        --model MODEL -o docs/results/specklenet/scores.json

`solve` is given some of the patterns only, drawn at random; its seconds are CPU time of one thread.
With a model, its answers with a calibrated probability of at least 0.9 are scored by themselves.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from speckle_core import create, load_data
from speckle_core.analysis.confidence import tempered
from speckle_core.analysis.evaluation import Evaluation
from speckle_core.analysis.intervals import wilson
from speckle_core.files import write_text
from speckle_core.models import confidence
from speckle_core.models.folder import read_whole
from speckle_core.models.shipped import model_folder

#: Least calibrated probability of a sure answer.
SURE = 0.9


def scored(found, truth):
    """Return accuracy and within one with their intervals, and mean absolute error."""
    away = np.abs(np.asarray(found) - np.asarray(truth))
    row = {"patterns": len(away)}
    for key, most in (("accuracy", 0), ("within_1", 1)):
        right = int(np.sum(away <= most))
        row[key] = [round(v, 4) for v in (right / len(away), *wilson(right, len(away)))]
    return row | {"mean_error": round(float(away.mean()), 4)}


def evaluated(folder, model):
    """Return scores of every classifier in the folder of an evaluation.

    Those of `model`, a folder or a name, have its surest answers besides.
    """
    rows, worth = {}, None
    if model is not None:
        place = model_folder(model)
        name, worth = read_whole(place).classifier.name, confidence.load(place)
    for path in sorted(folder.glob("*/predictions.csv")):
        found = Evaluation.load(path.parent)
        rows[path.parent.name] = row = scored(found.predicted, found.labels)
        if worth is not None and path.parent.name == name:
            calibrated = tempered(found.probabilities, worth.temperature)
            sure = calibrated.max(axis=1) >= SURE
            row["sure"] = scored(found.predicted[sure], found.labels[sure])
    return rows


def solved(data, number):
    """Return scores and the median seconds of the solver on some patterns."""
    steps = [create("preprocessor", "block-center", size=11), create("preprocessor", "standardize")]
    patterns = data.patterns(None, steps)
    solver, found, seconds = create("solver", "patterson"), [], []
    chosen = np.sort(np.random.default_rng(0).permutation(len(patterns))[:number])
    values, labels = patterns.batch(chosen)
    for value in values:
        begun = time.process_time()
        found.append(len(solver.solve(value, patterns.grid).configuration))
        seconds.append(time.process_time() - begun)
    return scored(found, labels) | {"median_seconds": round(float(np.median(seconds)), 3)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("evaluation", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--solve", type=int, default=0, help="patterns for the solver")
    parser.add_argument("--model", type=Path, help="whose surest answers are scored")
    parser.add_argument("--name", required=True)
    parser.add_argument("-o", dest="output", type=Path, required=True)
    given = parser.parse_args()
    known = json.loads(given.output.read_text("utf-8")) if given.output.exists() else {}
    known[given.name] = evaluated(given.evaluation, given.model)
    if given.solve:
        known[given.name]["solve"] = solved(load_data(given.data), given.solve)
    write_text(given.output, json.dumps(known, indent=1) + "\n")
    print(json.dumps(known[given.name], indent=1))


if __name__ == "__main__":
    main()
