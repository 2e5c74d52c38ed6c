"""Checks of classifiers, on eight easy patterns of 33 × 33 pixels.

There are four classes, so an untrained classifier is unlikely to be right by chance.

A classifier may have options `epochs` and `batch_size` with defaults for thousands of patterns.
For the check that it learns, the kit lowers a default of more than 40 epochs, which only makes the
check harder, and one of more than 4 patterns a batch, so that an epoch has two steps; options given
by the caller are kept. The other checks compare results, for which a
barely trained network is as good as a trained one: they train for at most 2 epochs, in batches of
at most 4, so that the order of the patterns matters. A classifier that searches has options
`starts` and `most`, which are lowered too. One whose history gives no training accuracy does not
learn, and is not asked to.
"""

# ruff: noqa: D401 - a check's docstring is its requirement, shown to users

from __future__ import annotations

import contextlib
import math
import random
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from speckle_core.contracts.roles import Classifier, Epoch
from speckle_core.testing.check import Check, CheckSkipped, Subject, require
from speckle_core.testing.fresh import ask, class_place
from speckle_core.testing.specimens import easy_patterns

SEED = 7
#: Allowed between the same weights in batches of another size, or in another process: products of
#: matrices are rounded in another order, and a sharp rule multiplies that.
_SAME = 1e-4
#: Patterns that are predicted alone: one of each class.
_ALONE = [0, 1, 2, 7]


def _untrained(subject: Subject) -> Classifier:
    made: Classifier = subject.make(**barely_trained(subject))
    return made


def barely_trained(subject: Subject) -> dict[str, int]:
    """Return the options of a training that is over soon."""
    return subject.lower_options(epochs=2, batch_size=4, starts=1, most=2)


def fitted(subject: Subject) -> Classifier:
    """Return a briefly trained classifier, shared by the checks of one run."""
    if "classifier" not in subject.cache:
        made = _untrained(subject)
        heard: list[Epoch] = []
        train, valid = easy_patterns(0), easy_patterns(100)
        with _global_random_state(0):
            history = made.fit(train, valid, seed=SEED, on_epoch=heard.append)
        subject.cache |= {"classifier": made, "history": history, "heard": heard}
    found: Classifier = subject.cache["classifier"]
    return found


@contextlib.contextmanager
def _global_random_state(seed: int) -> Iterator[None]:
    """Set the global random states, which a classifier must not depend on, and restore them."""
    of_numpy, of_python = np.random.get_state(), random.getstate()  # noqa: NPY002
    try:
        np.random.seed(seed)  # noqa: NPY002
        random.seed(seed)
        yield
    finally:
        np.random.set_state(of_numpy)  # noqa: NPY002
        random.setstate(of_python)


def _patterns() -> Any:
    return easy_patterns(0).batch(range(8))[0]


def _answers(subject: Subject) -> Any:
    """Return what the fitted classifier first said of the patterns; checks of one run share it."""
    if "answers" not in subject.cache:
        subject.cache["answers"] = np.array(fitted(subject).predict_proba(_patterns()))
    return subject.cache["answers"]


def probabilities_sum_to_one(subject: Subject) -> None:
    """Each pattern has a probability for each class, and they sum to one."""
    found = _answers(subject)
    require(found.shape == (8, 4), f"8 patterns of 4 classes gave shape {found.shape}")
    require(np.isfinite(found).all(), "a probability is NaN or infinite")
    require((found >= 0).all(), f"the probability {found.min():g} is negative")
    off = np.abs(found.sum(axis=1) - 1).max()
    require(off <= 1e-4, f"the probabilities of a pattern sum to 1 ± {off:.2g}")


def classes_are_those_of_the_set(subject: Subject) -> None:
    """After fit, the classes are those of the training set, ascending."""
    found = np.asarray(fitted(subject).classes)
    expected = easy_patterns(0).classes
    require(np.array_equal(found, expected), f"trained on {expected}, but the classes are {found}")


def history_tells_every_epoch(subject: Subject) -> None:
    """Fit returns one Epoch per pass, and on_epoch is called with each."""
    fitted(subject)
    history, heard = subject.cache["history"], subject.cache["heard"]
    require(
        len(history) and all(isinstance(e, Epoch) for e in history),
        f"fit returned {history!r}, not a list of Epoch",
    )
    require(
        heard == history or str(heard) == str(history),
        "on_epoch got other epochs than the history has",
    )


def learns_eight_patterns(subject: Subject) -> None:
    """Eight easy training patterns are classified correctly."""
    fewer = subject.lower_options(epochs=40, batch_size=4)
    classifier = subject.make(**{k: v for k, v in fewer.items() if k not in subject.options})
    patterns = easy_patterns(0)
    history = classifier.fit(patterns, easy_patterns(100), seed=SEED)
    if history and math.isnan(history[-1].accuracy):
        raise CheckSkipped("its history gives no training accuracy: it does not claim to learn")
    found = classifier.classes[np.argmax(classifier.predict_proba(_patterns()), axis=1)]
    right = int(np.sum(found == patterns.labels))
    require(
        right == 8,
        f"after training, {right} of the 8 training patterns are classified correctly",
        "If it needs more than 40 epochs, pass the option epochs.",
    )


def same_seed_same_result(subject: Subject) -> None:
    """Training twice with one seed gives the same, whatever the global random state."""
    first = _answers(subject)
    again = _untrained(subject)
    with _global_random_state(1):
        again.fit(easy_patterns(0), easy_patterns(100), seed=SEED)
    off = np.abs(first - again.predict_proba(_patterns())).max()
    require(off <= _SAME, f"the probabilities differ by {off:.2g}")


def saved_and_loaded_in_a_fresh_process(subject: Subject) -> None:
    """A new process that loads what was saved gives the same classes and probabilities."""
    classifier = fitted(subject)
    place = class_place(subject.factory)
    options = {**subject.options, **barely_trained(subject)}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "model"
        folder.mkdir()
        classifier.save(folder)
        saved = Path(scratch) / "patterns.npy"
        np.save(saved, _patterns(), allow_pickle=False)
        answer = ask(
            "predict", place=place, options=options, folder=str(folder), patterns=str(saved)
        )
    require(
        answer["classes"] == np.asarray(classifier.classes).tolist(),
        f"the classes became {answer['classes']}",
    )
    off = np.abs(np.array(answer["probabilities"]) - _answers(subject)).max()
    require(off <= _SAME, f"the probabilities differ by {off:.2g}")


def saves_nothing_that_runs_code(subject: Subject) -> None:
    """No file that it saves is a pickle, as joblib's and torch's are."""
    classifier = fitted(subject)
    with tempfile.TemporaryDirectory() as scratch:
        classifier.save(Path(scratch))
        files = sorted(p for p in Path(scratch).rglob("*") if p.is_file())
        require(files, "it saved no file")
        for file in files:
            require(not _is_pickle(file), f"{file.name} is a pickle, which can run code")


def _is_pickle(file: Path) -> bool:
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            return any(name.endswith((".pkl", ".pickle")) for name in archive.namelist())
    with file.open("rb") as stream:
        head = stream.read(2)
    return head[:1] == b"\x80" and head[1:] <= b"\x05"


def alone_is_as_in_a_batch(subject: Subject) -> None:
    """One pattern alone has the probabilities that it has among others."""
    classifier, patterns = fitted(subject), _patterns()
    together = _answers(subject)
    alone = np.concatenate([classifier.predict_proba(patterns[i : i + 1]) for i in _ALONE])
    off = np.abs(together[_ALONE] - alone).max()
    require(off <= _SAME, f"the probabilities differ by {off:.2g}")


def predicting_changes_nothing(subject: Subject) -> None:
    """Predicting twice gives the same result and leaves the patterns unchanged."""
    classifier, patterns = fitted(subject), _patterns()
    before, first = patterns.copy(), _answers(subject)
    off = np.abs(first - classifier.predict_proba(patterns)).max()
    require(np.array_equal(before, patterns), "the input patterns have changed")
    require(off <= _SAME, f"a second prediction differs by {off:.2g}")


CHECKS = (
    Check("classifier.probabilities-sum-to-one", probabilities_sum_to_one),
    Check("classifier.classes-are-those-of-the-set", classes_are_those_of_the_set),
    Check("classifier.history-tells-every-epoch", history_tells_every_epoch),
    Check("classifier.learns-eight-patterns", learns_eight_patterns),
    Check("classifier.same-seed-same-result", same_seed_same_result),
    Check("classifier.saved-and-loaded-in-a-fresh-process", saved_and_loaded_in_a_fresh_process),
    Check("classifier.saves-nothing-that-runs-code", saves_nothing_that_runs_code),
    Check("classifier.alone-is-as-in-a-batch", alone_is_as_in_a_batch),
    Check("classifier.predicting-changes-nothing", predicting_changes_nothing),
)
