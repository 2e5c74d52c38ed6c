"""Whatever one plugin does wrong, the command line works and says whose fault it is."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.plugins.fakes import BROKEN, GOOD, distribution

# One process per kind, which has loaded no plugin: help, the list, the strict list, and a run.
SCRIPT = """
import json, sys
from typer.testing import CliRunner
from speckle_core.cli.app import app
found = {}
for name, args in json.loads(sys.argv[1]).items():
    result = CliRunner().invoke(app, args)
    found[name] = [result.exit_code, result.stdout, result.stderr]
print(json.dumps(found))
"""
KINDS = {
    **{kind: source for kind, (source, _) in BROKEN.items()},
    "prints": "print('hello')\n" + "\n".join(line[4:] for line in GOOD.splitlines()),
    "sleeps": """
        from speckle_core import Component, hookimpl
        @hookimpl
        def speckle_samplers():
            return [Component("slow", "slow_part:Slow", "Sleeps when imported.")]
    """,
}
HARMLESS = {"prints", "sleeps"}


@pytest.mark.parametrize("kind", KINDS)
def test_help_list_and_an_unrelated_run_work_beside_any_broken_plugin(
    kind: str, tmp_path: Path, programs: Path
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "slow_part.py").write_text("import time\ntime.sleep(30)\nclass Slow: ...\n")
    distribution(site, "broken-thing", KINDS[kind], version="0.7")
    small = [
        "structure.counts=[2, 3]",
        "structure.patterns_per_count=2",
        "grid.size=33",
        "split={train=0.5, valid=0.0, test=0.5}",
    ]
    settings = [part for setting in small for part in ("--set", setting)]
    commands = {
        "help": ["--help"],
        "list": ["plugins", "list"],
        "json": ["plugins", "list", "--json"],
        "strict": ["plugins", "list", "--strict"],
        "run": ["generate", "quickstart", "-o", str(tmp_path / "data"), *settings],
    }
    result = subprocess.run(
        [programs / "python", "-c", SCRIPT, json.dumps(commands)],
        capture_output=True,
        text=True,
        timeout=25,
        env=os.environ | {"PYTHONPATH": str(site)},
        check=True,
    )
    found = json.loads(result.stdout)

    assert {name: found[name][0] for name in ("help", "list", "json", "run")} == dict.fromkeys(
        ("help", "list", "json", "run"), 0
    )
    assert found["strict"][0] == (0 if kind in HARMLESS else 1)
    assert (tmp_path / "data" / "patterns.h5").exists()
    assert json.loads(found["json"][1])
    if kind not in HARMLESS:
        shown = found["list"][1] + found["list"][2]
        assert "broken-thing" in shown
        assert "0.7" in shown
