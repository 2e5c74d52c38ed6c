"""The kit counts itself: no check gets lost, no failure is expected without a reason."""

import subprocess
import sys

import attrs
import pytest

from speckle_core import Component, ExperimentError
from speckle_core.testing import (
    KNOWN_NUMBER,
    CheckFailed,
    CheckSkipped,
    checks_for,
    run_checks,
    sampler,
)

SHARED = [
    "component.constructible-with-defaults",
    "component.fills-its-role",
    "component.options-explicit",
    "component.constructor-only-stores",
    "component.repr-round-trips",
    "component.listing-imports-nothing-heavy",
]
PARTICLES = [
    "particles.arrays-fit-together",
    "particles.forward-form-factor-is-the-area",
    "particles.form-factor-is-the-transform",
    "particles.chords-are-the-form-factor",
    "particles.bounding-radii-bound",
]
IDS = {
    "sampler": [
        *SHARED,
        "sampler.same-rng-same-configuration",
        "sampler.other-rng-other-configuration",
        "sampler.the-count-asked-for",
        "sampler.inside-the-box",
        "sampler.no-overlap",
        "sampler.global-random-state-untouched",
        *PARTICLES,
    ],
    "particles": PARTICLES,
    "scatterer": [
        *SHARED,
        "scatterer.finite-and-shaped",
        "scatterer.deterministic",
        "scatterer.input-unchanged",
        "scatterer.translation-leaves-the-intensity",
        "scatterer.minus-k-is-k",
        "scatterer.works-on-a-strange-shape",
        "scatterer.works-on-a-quadrant",
        "scatterer.contrast-counts",
        "scatterer.shapes-mix",
        "scatterer.many-at-once-is-one-by-one",
    ],
    "preprocessor": [
        *SHARED,
        "preprocessor.shape-and-dtype",
        "preprocessor.input-unchanged",
        "preprocessor.batch-is-one-by-one",
        "preprocessor.deterministic",
    ],
    "classifier": [
        *SHARED,
        "classifier.probabilities-sum-to-one",
        "classifier.classes-are-those-of-the-set",
        "classifier.history-tells-every-epoch",
        "classifier.learns-eight-patterns",
        "classifier.same-seed-same-result",
        "classifier.saved-and-loaded-in-a-fresh-process",
        "classifier.saves-nothing-that-runs-code",
        "classifier.alone-is-as-in-a-batch",
        "classifier.predicting-changes-nothing",
        "classifier.gradients-have-the-patterns-shape",
        "classifier.gradients-are-those-of-the-scores",
        "classifier.feature-maps-have-gradients",
        "classifier.feature-maps-change-as-the-scores",
        "classifier.region-holds-all-that-is-read",
        "classifier.randomised-knows-nothing",
        "classifier.values-are-learned",
        "classifier.values-are-saved",
        "classifier.gradients-are-those-of-the-value",
    ],
    "explainer": [
        *SHARED,
        "explainer.shape",
        "explainer.finite",
        "explainer.model-unchanged",
        "explainer.input-unchanged",
        "explainer.depends-on-the-target",
        "explainer.depends-on-the-model",
        "explainer.alone-is-as-in-a-batch",
        "explainer.refuses-clearly",
    ],
    "solver": [
        *SHARED,
        "solver.returns-a-solution",
        "solver.bodies-lie-in-the-box",
        "solver.deterministic",
        "solver.input-unchanged",
        "solver.masked-pixels-do-not-count",
        "solver.refuses-clearly",
        "solver.noise-is-not-solved",
        "solver.solved-explains",
    ],
    "reader": [
        *SHARED,
        "reader.suffixes-are-endings",
        "reader.matches-its-own",
        "reader.noise-is-refused",
        "reader.runs-nothing",
        "reader.leaves-no-trace",
    ],
    "detector": [
        *SHARED,
        "detector.records-the-grid",
        "detector.finite-where-a-pixel-counts",
        "detector.some-pixels-count",
        "detector.deterministic",
        "detector.input-unchanged",
    ],
}


@attrs.frozen(kw_only=True)
class Root:
    """A good preprocessor."""

    def __call__(self, patterns, grid):
        return patterns**0.5


class Whole:
    """A preprocessor that returns whole numbers, and has no repr."""

    def __call__(self, patterns, grid):
        return patterns.astype(int)


@pytest.mark.parametrize("role", IDS)
def test_the_checks_of_a_role_and_their_ids_are_stable(role):
    assert [str(check) for check in checks_for(role)] == IDS[role]
    assert KNOWN_NUMBER[role] == len(IDS[role])


@pytest.mark.parametrize("role", IDS)
def test_every_check_says_in_one_line_what_it_demands(role):
    for check in checks_for(role):
        assert check.demand.endswith(".")


def test_a_good_component_passes_every_check_and_the_kit_s_own_count():
    results = run_checks("preprocessor", Root)
    assert [r.id for r in results] == [*IDS["preprocessor"], "kit.complete"]
    assert {r.outcome for r in results} == {"passed"}
    assert results[-1].message == "10 of 10 checks: 10 passed"
    assert all(r.seconds >= 0 for r in results)


def test_a_lost_check_is_a_failure_however_the_rest_does(monkeypatch):
    monkeypatch.setattr(sampler, "CHECKS", sampler.CHECKS[:1])
    with pytest.raises(CheckFailed, match="has 7 checks for the role 'sampler', not 17"):
        checks_for("sampler")
    last = run_checks("sampler", Root)[-1]
    assert (last.id, last.outcome) == ("kit.complete", "failed")
    assert last.message.startswith("7 of 17 checks")


def test_failures_say_why_and_do_not_stop_the_others():
    results = {r.id: r for r in run_checks("preprocessor", Whole)}
    assert results["preprocessor.shape-and-dtype"].message.startswith("float32 became int64")
    assert not results["preprocessor.shape-and-dtype"].ok
    assert results["component.fills-its-role"].ok


def test_whatever_a_component_raises_is_a_failure_with_its_name():
    class Crashes(Root):
        def __call__(self, patterns, grid):
            raise ZeroDivisionError("by nought")

    results = {r.id: r for r in run_checks("preprocessor", Crashes)}
    assert results["preprocessor.deterministic"].message == "it raised ZeroDivisionError: by nought"


def test_an_expected_failure_is_marked_with_its_reason():
    reasons = {"preprocessor.shape-and-dtype": "counts photons, on purpose"}
    results = {r.id: r for r in run_checks("preprocessor", Whole, expected_failures=reasons)}
    found = results["preprocessor.shape-and-dtype"]
    assert (found.outcome, found.ok) == ("expected-failure", True)
    assert found.message.startswith("counts photons, on purpose (float32 became int64")


def test_what_was_expected_to_fail_and_passes_is_not_as_it_should_be():
    reasons = {"preprocessor.deterministic": "draws noise"}
    results = {r.id: r for r in run_checks("preprocessor", Root, expected_failures=reasons)}
    found = results["preprocessor.deterministic"]
    assert (found.outcome, found.ok) == ("unexpected-pass", False)
    assert "draws noise" in found.message


def test_an_expected_failure_of_no_check_is_refused_with_the_nearest():
    with pytest.raises(ExperimentError, match=r"Did you mean 'preprocessor\.deterministic'"):
        run_checks("preprocessor", Root, expected_failures={"preprocessor.determinstic": "x"})


def test_an_expected_failure_needs_a_reason():
    with pytest.raises(ExperimentError, match="no reason"):
        run_checks("preprocessor", Root, expected_failures={"preprocessor.deterministic": " "})


def test_a_skip_is_counted_and_shown():
    found = run_checks("preprocessor", Component("root", "no_such_plugin.root:Root", "Root."))
    assert found[5].outcome == "skipped"
    assert "1 skipped" in found[-1].message


def test_where_nothing_passes_the_kit_does_not():
    component = Component("root", Root, "Root.", requires=("no_such_package",))
    results = run_checks("preprocessor", component)
    assert all(
        "'root' needs no_such_package" in r.message
        for r in results
        if r.id.startswith("preprocessor.")
    )
    assert not all(r.ok for r in results)


def test_results_are_told_as_they_come():
    heard = []
    results = run_checks("preprocessor", Root, on_result=heard.append)
    assert heard == results


def test_the_kit_imports_neither_pytest_nor_anything_heavy():
    code = (
        "import sys, speckle_core.testing as kit; kit.checks_for('classifier');"
        "print(sorted({'pytest', 'torch', 'tensorflow', 'sklearn', 'matplotlib', 'h5py'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_pytest_shows_failures_and_skips_of_a_plugin_s_own_tests(tmp_path):
    (tmp_path / "test_mine.py").write_text(
        "import pytest\n"
        "from speckle_core.testing import checks_for\n"
        "class Whole:\n"
        "    def __call__(self, patterns, grid):\n"
        "        return patterns.astype(int)\n"
        "@pytest.mark.parametrize('check', checks_for('preprocessor'), ids=str)\n"
        "def test_mine(check):\n"
        "    check.run(Whole)\n"
        "@pytest.mark.parametrize('check', checks_for('scatterer')[-1:], ids=str)\n"
        "def test_other(check):\n"
        "    check.run(Whole)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rfs", "-p", "no:cacheprovider", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert "test_mine[preprocessor.shape-and-dtype] - speckle_core" in done.stdout
    assert "1 skipped" in done.stdout
    assert "it does not have the optional method intensities" in done.stdout


def test_failed_and_skipped_are_what_test_runners_know():
    import unittest

    assert issubclass(CheckFailed, AssertionError)
    assert issubclass(CheckSkipped, unittest.SkipTest)
