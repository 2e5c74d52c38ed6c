"""What every test may rely on: few threads, no display, and one tiny run, done once."""

from __future__ import annotations

import functools
import gc
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pytest


def roomy(folder: Path) -> bool:
    """Say whether programs can be written to a folder and started there, and 4 GiB are free."""
    if not os.access(folder, os.W_OK):
        return False
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize > 2**32 and not found.f_flag & os.ST_NOEXEC


# One thread for each process, before NumPy is first imported: tests run two at a time, and threads
# that wait for one another cost several times what they save. What tests start inherits it.
ONE_THREAD = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Files of tests lie in memory, where there is room: on a disk each fsync takes some 8 ms.
if not {"TMPDIR", "PYTEST_XDIST_WORKER"} & os.environ.keys() and roomy(Path("/dev/shm")):
    os.environ["TMPDIR"] = tempfile.tempdir = "/dev/shm"
# Continuous integration asks for colours, which would stand between the words looked for.
os.environ["_TYPER_FORCE_DISABLE_TERMINAL"] = "1"

from typer.main import get_command  # noqa: E402
from typer.testing import CliRunner, Result  # noqa: E402

from speckle_core.cli.app import app  # noqa: E402
from tests import warm  # noqa: E402

TINY = """
name = "tiny"
seed = 5
baselines = ["first-moment"]
[structure]
counts = [2, 12]
count_step = 5
patterns_per_count = 24
[grid]
size = 33
[[prepare]]
name = "block-center"
size = 3
[[prepare]]
name = "standardize"
[split]
train = 48
valid = 9
test = 15
test_per_class = 5
[classifier]
name = "radial-lda"
"""

Invoke = Callable[..., Result]

#: Folders in which every test loads PyTorch, Keras or TensorFlow, or starts processes that do.
FRAMEWORKS = ("speckle_torch", "speckle_specklenet", "speckle_keras", "parity")


#: Folders and files that take long besides, mostly for the processes that they start.
SLOW = (
    "e2e",
    "hostile",
    "docs",
    "paper",
    "test_faults.py",
    "test_verify.py",
    "test_cluster.py",
    "test_odd_plugins.py",
    "test_builtins.py",
    "test_in_a_browser.py",
    "test_release.py",
    "test_failure.py",
    "test_surroundings.py",
    "test_doctor.py",
    "test_generate.py",
    "test_import_rules.py",
    "test_isolation.py",
    "test_first_moments.py",
    "test_report_section.py",
    "test_solve_folder.py",
    "test_folder.py",
)
#: What `make test-fast` asks for.
FAST = "not framework and not slow"

#: Files that take longest come first, so that no worker is left alone with one at the end.
SLOWEST = (
    "test_keras.py",
    "parity",
    "e2e",
    "docs",
    "test_builtins.py",
    "hostile",
    "test_faults.py",
)
SLOWEST += ("speckle_torch", "test_folder.py", "test_failure.py")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what `make test-fast` leaves out; give each file to one worker, the slowest first.

    What the tests of a file share is then made once, and not once for each worker.
    """

    def rank(item: pytest.Item) -> int:
        parts = item.path.parts
        return next((i for i, name in enumerate(SLOWEST) if name in parts), len(SLOWEST))

    items.sort(key=rank)
    for item in items:
        if item.path.parent.name in FRAMEWORKS:
            item.add_marker("framework")
        if not {*item.path.parts}.isdisjoint(SLOW):
            item.add_marker("slow")
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(f"{item.path.parent.name}-{item.path.stem}"))


def pytest_collection_finish() -> None:
    """Let the collector of garbage pass by the million objects that imports have left."""
    gc.freeze()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even import it then: that takes longer than some tests."""
    fast = config.option.markexpr == FAST
    return True if fast and collection_path.name in (*FRAMEWORKS, *SLOW) else None


@pytest.fixture(autouse=True, scope="session")
def one_command_line() -> Iterator[None]:
    """Build the command line once, as a process does, and not for each command that is run."""
    with mock.patch("typer.testing._get_command", functools.cache(get_command)):
        yield


@pytest.fixture(scope="session")
def invoke() -> Invoke:
    """Run a command in this process."""

    def run(*args: object, **environment: str) -> Result:
        return CliRunner(env=environment).invoke(app, [str(a) for a in args], prog_name="speckle")

    return run


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a `speckle`, `python` and `pytest` that start at once; see tests/warm.py."""
    with warm.programs(tmp_path_factory.mktemp("programs")) as folder:
        yield folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The experiment file."""
    path = tmp_path_factory.mktemp("tiny") / "tiny.toml"
    path.write_text(TINY)
    return path


@pytest.fixture(scope="session")
def done(tiny: Path, invoke: Invoke) -> tuple[Path, Result]:
    """The folder of its whole run, and what the command said; tests only read there."""
    folder = tiny.parent / "run"
    result = invoke("run", tiny, "-o", folder, "--workers", 1)
    assert result.exit_code == 0, result.output
    return folder, result


@pytest.fixture(scope="session")
def data(done: tuple[Path, Result]) -> Path:
    return done[0] / "data"


@pytest.fixture(scope="session")
def model(done: tuple[Path, Result]) -> Path:
    return done[0] / "model"
