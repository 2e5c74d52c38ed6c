"""Ctrl-C at moments that a test cannot wait for: it is sent there."""

from __future__ import annotations

import concurrent.futures as cf
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from speckle_core.data.build_shards import produce
from speckle_core.data.manifest import Record
from speckle_core.data.plan import plan
from tests.data.fakes import experiment


def ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


class Handed(cf.ThreadPoolExecutor):
    """Is interrupted just when it has taken its second piece of work."""

    taken = 0

    def submit(self, *args: Any, **kwargs: Any) -> cf.Future[Any]:
        future = super().submit(*args, **kwargs)
        self.taken += 1
        if self.taken == 2:
            ctrl_c()
        return future


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """Raise KeyboardInterrupt even in a suite that was started in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("own", [True, False], ids=["by itself", "by an executor"])
@pytest.mark.parametrize("kind", [Handed, cf.ThreadPoolExecutor], ids=["handed over", "recorded"])
def test_every_shard_on_disk_is_told_of_whenever_ctrl_c_comes(
    kind: type[cf.ThreadPoolExecutor],
    own: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "shards").mkdir()
    told: list[str] = []

    def on_record(record: Record) -> None:
        if kind is not Handed and not told:
            ctrl_c()
        told.append(record.name)

    made = experiment().resolved()
    shards = plan(len(made.labels()), made.kgrid())
    monkeypatch.setattr(cf, "ThreadPoolExecutor", kind)
    with kind(1) as executor, pytest.raises(KeyboardInterrupt):
        produce(
            made,
            tmp_path,
            shards,
            on_record=on_record,
            on_progress=lambda _: None,
            workers=1,
            executor=None if own else executor,
        )
    there = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.h5")}
    assert sorted(told) == sorted(there)
    assert 0 < len(there) < len(shards)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
