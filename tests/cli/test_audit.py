from __future__ import annotations

import html
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from speckle_core.audit.findings import TITLE, audit, baselines_of, evaluate_baselines
from speckle_core.data.dataset import Dataset

Invoke = Callable[..., Result]
Refused = Callable[..., str]


def test_json_of_an_audit_says_what_python_says(data: Path, invoke: Invoke) -> None:
    result = invoke("audit", data, "--json")
    assert result.exit_code == 0
    dataset = Dataset.open(data)
    expected = audit(dataset, evaluate_baselines(baselines_of(dataset.experiment), dataset))
    written = json.loads(json.dumps({"data": str(data)} | expected.to_dict()))
    assert json.loads(result.stdout) == written
    assert written["parts"] == {"train": 48, "valid": 9, "test": 15}
    assert list(written["baselines"]) == ["first-moment"]


def test_an_audit_tells_ties_sharing_and_baselines_in_sentences(data: Path, invoke: Invoke) -> None:
    said = invoke("audit", data, "--baseline", "radial-lda", "--baseline", "contrast").stdout
    assert said.startswith(f"{data}: 48 training and 15 test patterns\n")
    assert "n can be predicted from the mean radius alone" in said
    assert "by construction" in said
    assert "\nradial-lda, " in said
    assert "\ncontrast, " in said
    assert "first-moment" not in said


def test_a_report_holds_the_findings_with_the_readings_of_its_run(
    done: tuple[Path, Result], data: Path, invoke: Invoke
) -> None:
    text = " ".join(html.unescape((done[0] / "report.html").read_text()).split())
    assert f"<h2>{TITLE}</h2>" in text
    for sentence in json.loads(invoke("audit", data, "--json").stdout)["findings"]:
        assert sentence in text


def test_the_folder_of_a_run_stands_for_its_data(
    done: tuple[Path, Result], invoke: Invoke, refused: Refused
) -> None:
    inner, outer = (invoke("audit", folder) for folder in (done[0] / "data", done[0]))
    assert outer.exit_code == 0
    assert outer.stdout == inner.stdout
    assert "'speckle generate' or 'speckle import'" in refused("audit", done[0] / "model")


@pytest.fixture
def copy(data: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(data, tmp_path / "copy"))


def test_an_audit_of_what_is_no_data_set_is_refused(refused: Refused, tmp_path: Path) -> None:
    assert str(tmp_path) in refused("audit", tmp_path)
    assert "nowhere" in refused("audit", tmp_path / "nowhere")


def test_an_audit_of_a_damaged_set_names_the_shard(copy: Path, refused: Refused) -> None:
    (shard,) = copy.glob("shards/*.h5")
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    assert shard.name in refused("audit", copy)
    shard.unlink()
    assert shard.name in refused("audit", copy)


def test_a_split_that_does_not_fit_the_set_is_named(copy: Path, refused: Refused) -> None:
    manifest = copy / "manifest.json"
    text = manifest.read_text().replace('"train": 48', '"train": 4800')
    manifest.write_text(re.sub(r' "checksum": .*\n', "", text))
    assert "4800" in refused("audit", copy)


def test_a_baseline_that_is_not_there_is_a_usage_fault(data: Path, refused: Refused) -> None:
    assert "'radial-lda'" in refused("audit", data, "--baseline", "radial-lad", code=2)
