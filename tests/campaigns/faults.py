"""A fault at every file operation of a small generate, train and run, and what the next call makes.

A server imports everything once and forks a child for each fault. The child counts the operations
that change its folder and, at the k-th, is killed, meets a full disk, a limit on the size of files,
or Ctrl-C. The same command without a fault must then end with the very bytes and names of files
that it leaves when nothing happens. Clocks stand still in the children, so that all bytes compare,
and pictures of reports are one pixel, since drawing them takes most of the time and no file.

    python -m tests.campaigns.faults                  # every k, every kind
    python -m tests.campaigns.faults generate --kinds kill --every 3
"""

from __future__ import annotations

import argparse
import errno
import hashlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.campaigns.epochs import register

KINDS = ("kill", "full", "limit", "interrupt")
_CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.truncate"}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_ERRORS = {"full": errno.ENOSPC, "limit": errno.EFBIG}
#: Status of a child that met no fault since there are fewer operations.
_NONE_MET = 9


class Injector:
    """Counts the operations below `home`, and lets the k-th fail in its way."""

    def __init__(self, home: Path, at: int, kind: str) -> None:
        self.home, self.at, self.kind = str(home), at, kind
        self.count = 0
        self.met = False

    def install(self) -> None:
        real = os.fsync

        def fsync(handle: int) -> None:
            # What reached the disk before it was full is half of a file.
            if self.count + 1 == self.at:
                os.ftruncate(handle, os.fstat(handle).st_size // 2)
            self.step()
            real(handle)

        os.fsync = fsync
        sys.addaudithook(self.hook)

    def hook(self, event: str, args: tuple[Any, ...]) -> None:
        changes = event in _CHANGES or (event == "open" and (args[2] or 0) & _WRITES)
        if changes and isinstance(args[0], (str, bytes)) and self.home in os.fsdecode(args[0]):
            self.step()

    def step(self) -> None:
        self.count += 1
        if self.count != self.at:
            return
        self.met = True
        if self.kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.kind == "interrupt":
            os.kill(os.getpid(), signal.SIGINT)
        else:
            raise OSError(_ERRORS[self.kind], os.strerror(_ERRORS[self.kind]))


def in_child(action: Callable[[Path], None], folder: Path, at: int = 0, kind: str = "kill") -> int:
    """Return the status of `action` in a forked child with a fault at operation `at`."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        sink = os.open(os.devnull, os.O_WRONLY)
        if not os.environ.get("SHOW"):
            os.dup2(sink, 1)
            os.dup2(sink, 2)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        time.perf_counter = lambda: 0.0
        injector = Injector(folder, at, kind)
        injector.install()
        try:
            action(folder)
            status = 0 if injector.met or not at else _NONE_MET
        except KeyboardInterrupt:
            status = 130
        except BaseException as error:
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            sys.stderr.flush()
    finally:
        os._exit(status)


def listing(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below `folder`, and folders with a slash."""
    return {
        p.relative_to(folder).as_posix() + ("/" if p.is_dir() else ""): ""
        if p.is_dir()
        else hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
    }


def experiment(classifier: str = "radial-lda", seed: int = 5) -> Any:
    from speckle_core import Experiment

    return Experiment.from_dict(
        {
            "name": "faults",
            "seed": seed,
            "structure": {"counts": [2, 3], "patterns_per_count": 8},
            "grid": {"size": 17},
            "split": {"train": 10, "valid": 2, "test": 4},
            "classifier": {"name": classifier},
            "baselines": ["first-moment"],
        }
    )


def actions(scratch: Path) -> dict[str, tuple[Callable[[Path], None], Callable[[Path], None]]]:
    """Return by name what makes a folder ready, and what is done in it."""
    import numpy as np

    from speckle_core import Experiment
    from speckle_core.data.dataset import Dataset
    from speckle_core.data.generate import generate
    from speckle_core.data.imported import import_frames
    from speckle_core.models.export import export
    from speckle_core.models.train import train
    from speckle_core.run import Run
    from speckle_core.study.folder import run_study
    from speckle_core.study.points import Axis, points_of
    from speckle_core.verify import verify

    data = scratch / "data"
    generate(experiment(), data, workers=1)
    # Once here, so that the children have all modules that are imported on first use.
    train(experiment(), Dataset.open(data), scratch / "warm")
    earlier = scratch / "earlier"
    drawn = scratch / "drawn"

    def warm(folder: Path) -> None:
        if not drawn.exists():
            draw_one_pixel()
            run(drawn)

    def run(folder: Path, *, fresh: bool = False) -> None:
        Run.begin(experiment(), folder, fresh=fresh).execute(workers=1)

    def an_earlier_one(folder: Path) -> None:
        warm(folder)
        if not earlier.exists():
            assert not in_child(
                lambda f: Run.begin(experiment(seed=6), f).execute(workers=1), earlier
            )
        shutil.copytree(earlier, folder)

    def nothing(folder: Path) -> None:
        pass

    def fit(name: str) -> Callable[[Path], None]:
        return lambda folder: void(train(experiment(name), Dataset.open(data), folder))

    def imported(folder: Path) -> None:
        dataset = Dataset.open(data)
        file = scratch / "frames.npy"
        if not file.exists():
            np.save(file, dataset.patterns().raw(np.arange(len(dataset))))
        import_frames([file], dataset.labels.tolist(), folder)

    def damaged(folder: Path) -> None:
        shutil.copytree(data, folder)
        for path in (next(folder.glob("shards/*.h5")), folder / "patterns.h5"):
            path.write_bytes(path.read_bytes()[:-1])

    def repair(folder: Path) -> None:
        assert verify(folder, repair=True).ok

    def study(folder: Path) -> None:
        source = scratch / "experiment.toml"
        source.write_text(experiment("first-moment").to_toml())
        axes = [Axis.parse("seed=5,6")]
        points = points_of(source, (), axes, ["first-moment"])
        run_study(Experiment.load(source).resolved(), axes, points, folder, workers=1)

    def a_study(folder: Path) -> None:
        if not (scratch / "studied").exists():
            draw_one_pixel()
            study(scratch / "studied")

    def a_model(folder: Path) -> None:
        if not (scratch / "model").exists():
            fit("epochs")(scratch / "model")

    def exported(folder: Path) -> None:
        # What a kill leaves under the file's own name is refused by the next call.
        export(scratch / "model", folder / "model.onnx")

    return {
        "study": (a_study, study),
        "export": (a_model, exported),
        "import": (nothing, imported),
        "repair": (damaged, repair),
        "generate": (nothing, lambda folder: void(generate(experiment(), folder, workers=1))),
        "train": (nothing, fit("radial-lda")),
        "train-epochs": (nothing, fit("epochs")),
        "run": (warm, run),
        "run-fresh": (an_earlier_one, lambda folder: run(folder, fresh=True)),
    }


def draw_one_pixel() -> None:
    """Let every figure of this process be one pixel."""
    import numpy as np

    from speckle_core import figures
    from speckle_core.figures import style

    pixel = np.full((1, 1, 4), 255, np.uint8)
    figures.raster = style.raster = lambda figure: (pixel, [])


def void(_: object) -> None:
    pass


def campaign(
    name: str, kinds: tuple[str, ...], every: int, scratch: Path, first: int = 1, most: int = 10**6
) -> dict[str, Any]:
    """Put a fault at every k-th operation of one action; return what was met and what was wrong."""
    ready, act = actions(scratch)[name]
    # Under the name that the others have, since a report says where its run lies.
    reference = scratch / "folder"
    ready(reference)
    assert in_child(act, reference) == 0, "the reference failed"
    wanted = listing(reference)
    faults, wrong = 0, []
    for kind in kinds:
        for at in range(first, most, every):
            folder = scratch / "folder"
            shutil.rmtree(folder, ignore_errors=True)
            ready(folder)
            status = in_child(act, folder, at, kind)
            if status == _NONE_MET:
                break
            faults += 1
            again = in_child(act, folder)
            found = listing(folder) if folder.exists() else {}
            if again != 0 or found != wanted:
                differing = sorted(
                    k for k in found.keys() | wanted if found.get(k) != wanted.get(k)
                )
                wrong.append({"kind": kind, "at": at, "again": again, "differing": differing[:5]})
    return {"action": name, "faults": faults, "wrong": wrong}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    names = ("generate", "import", "repair", "train", "train-epochs", "run", "run-fresh")
    names += ("study", "export")
    parser.add_argument("names", nargs="*", default=names)
    parser.add_argument("--kinds", nargs="*", default=KINDS)
    parser.add_argument("--every", type=int, default=1, help="every so many operations")
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--most", type=int, default=10**6, help="the last operation")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    register()
    bad = 0
    for name in given.names:
        with tempfile.TemporaryDirectory() as scratch:
            home = Path(scratch)
            result = campaign(name, tuple(given.kinds), given.every, home, given.first, given.most)
        print(json.dumps(result), flush=True)
        bad += len(result["wrong"])
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
