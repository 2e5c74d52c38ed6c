import json


def test_a_study_prints_its_points_and_where_the_page_is(invoke, tiny, tmp_path):
    words = ("study", tiny, "--vary", "split.train=12,48", "--classifiers", "first-moment")
    planned = invoke(*words, "--dry-run", "-o", tmp_path / "study")
    assert planned.exit_code == 0, planned.output
    assert "2 points on 1 data set; nothing was written" in planned.stdout
    assert not (tmp_path / "study").exists()
    done = invoke(*words, "-o", tmp_path / "study", "--workers", 1)
    assert done.exit_code == 0, done.output
    assert f"page: {tmp_path / 'study' / 'study.html'}" in done.stdout
    again = invoke(*words, "-o", tmp_path / "study", "--json")
    found = json.loads(again.stdout)
    assert found["vary"] == [{"path": "split.train", "values": [12, 48]}]
    for result in found["results"]:
        value, low, high = result["accuracy"]
        assert low <= value <= high
        assert f"{value:.3f}" in done.stdout


def test_a_wrong_value_is_a_usage_error_before_anything_is_written(invoke, tiny, tmp_path):
    for vary in ("split.trian=1,2", "split.train", "split.train=1,1"):
        wrong = invoke("study", tiny, "--vary", vary, "-o", tmp_path / "study")
        assert wrong.exit_code == 2, wrong.output
        assert "Traceback" not in wrong.output
    assert not (tmp_path / "study").exists()


def test_a_failing_point_ends_with_its_error_and_status_1(invoke, tiny, tmp_path):
    words = ("--vary", "structure.sampler.radius=60,600", "--classifiers", "first-moment")
    done = invoke("study", tiny, *words, "-o", tmp_path / "study", "--workers", 1)
    assert done.exit_code == 1, done.output
    assert "structure.sampler.radius=600, first-moment: n = " in done.stderr
    assert "first-moment" in done.stdout


def test_what_every_classifier_is_told_is_said_once(invoke, tiny, tmp_path):
    """A validation part of two patterns lacks a class, for each classifier that learns on it."""
    words = ("study", tiny, "--vary", "split.train=12", "--set", "split.valid=2")
    both = ("--classifiers", "first-moment,radial-lda")
    done = invoke(*words, *both, "-o", tmp_path / "study", "--workers", 1)
    assert done.exit_code == 0, done.output
    said = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    assert len(said) == len(set(said)) == 1
    assert "the valid part has no pattern of class" in said[0]
