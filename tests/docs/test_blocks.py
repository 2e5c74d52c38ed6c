from __future__ import annotations

import os
import subprocess
import tomllib
from pathlib import Path

import h5py
import pytest

from speckle_core.contracts.roles import ROLES
from speckle_core.experiment.experiment import Experiment
from speckle_core.plugins.hookspecs import HOOKS
from tests.docs.pages import DOCS, blocks, pages_with


@pytest.mark.parametrize("page", pages_with("python"))
def test_the_python_of_every_page_runs_from_top_to_bottom(
    page: str, tmp_path: Path, programs: Path
) -> None:
    shown = [b.text for b in blocks(page) if b.kind == "python" and b.file is None]
    # As at a prompt: there is no file that a fresh process could import.
    done = subprocess.run(
        [programs / "python", "-c", "\n".join(shown)],
        cwd=tmp_path,
        env={**os.environ, "PRELOAD": "torch"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_role_has_a_how_to_whose_example_passes_the_kit() -> None:
    for role in ROLES:
        shown = [block.text for block in blocks(f"howto/{role}.md") if block.kind == "python"]
        assert any(f'run_checks("{role}", ' in text for text in shown), role


@pytest.mark.parametrize("hook", HOOKS.values())
def test_every_hook_has_a_page_that_takes_its_signature_from_the_code(hook: str) -> None:
    page = (DOCS / "reference" / "hooks" / f"{hook}.md").read_text("utf-8")
    assert f".. autofunction:: speckle_core.plugins.hookspecs.{hook}\n" in page
    (role,) = [role for role, name in HOOKS.items() if name == hook]
    assert f".. autoclass:: speckle_core.{role.capitalize()}\n" in page


def test_the_example_of_an_experiment_file_is_one_with_every_key() -> None:
    shown, *parts = [b.text for b in blocks("reference/experiments.md") if b.kind == "toml"]
    data = tomllib.loads(shown)
    for part in parts:
        Experiment.from_dict(data | tomllib.loads(part)).resolved()
    experiment = Experiment.from_dict(data)
    experiment.resolved()
    missing = {
        f"{table}.{key}" if table else key
        for table, keys in {
            "": experiment.to_dict(),
            **{name: part for name, part in experiment.to_dict().items() if isinstance(part, dict)},
        }.items()
        for key in keys
        if key not in (data[table] if table else data)
    }
    assert not missing


def test_the_layout_of_a_data_set_is_as_its_page_draws_it(tmp_path: Path) -> None:
    from speckle_core.data.generate import generate

    text = (DOCS / "reference" / "dataset.md").read_text("utf-8")
    listing = text.split("<!-- layout -->\n```text\n")[1].split("```")[0]
    drawn = {line.split()[0]: line for line in listing.splitlines()}
    settings = ["structure.counts=[2, 3]", "structure.patterns_per_count=6", "grid.size=33"]
    split = "split={train = 0.5, valid = 0.2, test = 0.3}"
    experiment = Experiment.load("quickstart", [*settings, split])
    generate(experiment, tmp_path / "data", workers=1)
    with h5py.File(tmp_path / "data" / "shards" / "00000.h5") as file:
        for path, line in drawn.items():
            assert path in file, path
            found = file[path]
            if isinstance(found, h5py.Group):
                assert found.attrs["NX_class"] in line
            elif found.shape:
                assert f" {found.dtype} " in f"{line} "
        assert set(file["entry_1/data_1"]) == {
            path.split("/")[2] for path in drawn if path.startswith("entry_1/data_1/")
        }
    assert {p.name for p in (tmp_path / "data").iterdir()} >= {
        name for name in ("patterns.h5", "manifest.json", "shards") if name in text
    }
