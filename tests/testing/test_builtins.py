"""Whatever is installed conforms: the built-ins are held to the kit as a stranger's plugin is."""

import json
import subprocess
import sys

import pytest

from speckle_core import plugin_manager
from speckle_core.plugins.records import missing
from speckle_core.testing import KNOWN_NUMBER, run_checks

INSTALLED = plugin_manager().components()
#: Frameworks that must not meet in one process.
FRAMEWORKS = {"torch", "tensorflow", "keras"}
IN_A_PROCESS = """
import json, sys
from speckle_core import plugin_manager
from speckle_core.testing import run_checks
role, name, answer = sys.argv[1:]
component = plugin_manager().find(role, name).component
results = run_checks(role, component)
with open(answer, "w") as file:
    json.dump([(r.id, r.outcome, r.message, r.ok) for r in results], file)
"""


def own_framework(registered):
    return bool(FRAMEWORKS & set(registered.component.requires))


def named(registered):
    return f"{registered.role}-{registered.component.name}"


@pytest.mark.parametrize("registered", [r for r in INSTALLED if not own_framework(r)], ids=named)
def test_a_built_in_conforms(registered):
    results = run_checks(registered.role, registered.component)
    assert len(results) == KNOWN_NUMBER[registered.role] + 1
    assert [(r.id, r.outcome, r.message) for r in results if not r.ok] == []


@pytest.mark.parametrize("registered", [r for r in INSTALLED if own_framework(r)], ids=named)
def test_a_network_conforms_in_a_process_of_its_own(registered, tmp_path):
    if missing(registered.component):
        pytest.skip(f"{' and '.join(missing(registered.component))} is not installed")
    answer = tmp_path / "results.json"
    arguments = [registered.role, registered.qualified, str(answer)]
    done = subprocess.run(
        [sys.executable, "-c", IN_A_PROCESS, *arguments], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(answer.read_text())
    assert len(results) == KNOWN_NUMBER[registered.role] + 1
    assert [result[:3] for result in results if not result[3]] == []


def test_something_is_installed_to_be_checked():
    assert INSTALLED
