"""Mutants of honest files of every kind: read, or refused with one error, at a bounded cost.

A child reads fifty mutants, so that a crash, a long wait or much memory is seen by the parent,
which then tries each of the fifty by itself. The seed decides all.

    python -m tests.campaigns.mutants --number 10000
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np
import scipy.io
import tifffile

from tests.hostile.measure import read

BATCH = 50
SECONDS = 60
ROOM = 192 * 2**20


def honest(home: Path) -> list[Path]:
    """Return honest files of every kind, of a few kilobytes each."""
    values = np.random.default_rng(0).poisson(3, (3, 17, 17)).astype("f8")
    np.save(home / "a.npy", values)
    np.savez_compressed(home / "a.npz", x=values)
    tifffile.imwrite(home / "a.tif", values.astype("f4"), photometric="minisblack")
    tifffile.imwrite(home / "b.tif", values.astype("u2"), compression="zlib", tile=(16, 16))
    tifffile.imwrite(home / "c.tif", values.astype("u2"), compression="lzma")
    scipy.io.savemat(home / "a.mat", {"x": values, "s": {"a": values, "b": "text"}})
    scipy.io.savemat(home / "b.mat", {"x": values}, do_compression=True)
    for name, how in {
        "a.h5": {},
        "b.h5": {"compression": "gzip", "chunks": (1, 17, 17), "shuffle": True},
        "c.h5": {"chunks": (1, 8, 8), "fletcher32": True},
    }.items():
        with h5py.File(home / name, "w") as file:
            file.create_dataset("entry/data/data", data=values, **how)
            file.attrs["default"] = "entry"
    with h5py.File(home / "d.h5", "w") as file:
        layout = h5py.VirtualLayout(values.shape, "f8")
        layout[:] = h5py.VirtualSource("a.h5", "entry/data/data", values.shape)
        file.create_virtual_dataset("data", layout)
    return sorted(home.iterdir())


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Return `data` with one to four changes: bits, bytes, words, cuts, and pieces moved."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(out))
        kind = rng.randrange(6)
        if kind == 0:
            out[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            out[place] = rng.choice((0, 1, 127, 128, 255))
        elif kind == 2:
            value = rng.choice((0, 1, 2**31 - 1, 2**31, 2**32 - 1, rng.getrandbits(32)))
            out[place : place + 4] = value.to_bytes(4, "little")
        elif kind == 3:
            out[place : place + 8] = rng.choice((2**63 - 1, 2**64 - 1, 2**40)).to_bytes(8, "little")
        elif kind == 4 and len(out) > 200:
            del out[rng.randrange(100, len(out)) :]
        else:
            size = rng.randint(1, 64)
            start = rng.randrange(len(out))
            out[place : place + size] = out[start : start + size]
    return bytes(out)


def child(paths: list[Path]) -> tuple[int, int]:
    """Return the status of a child that reads `paths`, and its peak of memory [bytes]."""
    number = os.fork()
    if number == 0:
        signal.alarm(SECONDS)
        worst = max((read(path) for path in paths), default=0)
        os._exit(worst)
    _, status, usage = os.wait4(number, 0)
    return os.waitstatus_to_exitcode(status), usage.ru_maxrss * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rng = random.Random(given.seed)
    bad: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        originals = honest(home)
        contents = {path: path.read_bytes() for path in originals}
        for path in originals:
            assert read(path) == 0, path
        usual = child(originals)[1]
        done = 0
        while done < given.number:
            batch = []
            for place in range(min(BATCH, given.number - done)):
                origin = rng.choice(originals)
                batch.append(home / f"mutant-{place}{origin.suffix}")
                batch[-1].write_bytes(mutate(contents[origin], rng))
            status, peak = child(batch)
            if status not in (0, 3) or peak > usual + ROOM:
                for path in batch:
                    status, peak = child([path])
                    if status not in (0, 3) or peak > usual + ROOM:
                        bad.append({"file": path.name, "status": status, "peak": peak, "at": done})
                        if keep := os.environ.get("KEEP"):
                            (Path(keep) / f"{done}-{path.name}").write_bytes(path.read_bytes())
            done += len(batch)
    print(json.dumps({"mutants": done, "bad": bad}))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
