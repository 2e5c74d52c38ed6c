from __future__ import annotations

import io
import math
import re

import pytest
from rich.console import Console
from rich.progress import Progress as Bars
from rich.progress import TextColumn

from speckle_core.cli.progress import StageBars, StageLines
from speckle_core.contracts.roles import Epoch
from speckle_core.words import duration


def epoch(number: int, of: int = 4, valid: float = 0.8) -> Epoch:
    return Epoch(number, of, 0.6, 0.7, 0.65, valid, 2.0, 1e-3)


def test_durations_are_said_as_people_do() -> None:
    said = {4.22: "4.2 s", 59.96: "1 min 0 s", 200: "3 min 20 s", 3899: "1 h 04 min"}
    assert {seconds: duration(seconds) for seconds in said} == said


def test_a_stage_is_one_line_with_its_work_and_rate(capsys: pytest.CaptureFixture[str]) -> None:
    lines = StageLines()
    lines.start("generate", 30)
    lines.advance(10)
    lines.advance(20)
    assert capsys.readouterr().err == ""
    lines.finish()
    assert re.fullmatch(
        r"generate: 30 patterns, 0\.0 s \(\d+ patterns/s\)\n", capsys.readouterr().err
    )


def test_a_training_is_one_line_with_its_last_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    lines = StageLines()
    lines.start("train net", 30)
    lines.epoch(epoch(1))
    lines.epoch(epoch(2, valid=0.9))
    lines.finish("stopped early")
    said = capsys.readouterr().err
    assert said.startswith("train net: 2 epochs, validation loss 0.6500, accuracy 0.900, ")
    assert said.endswith(" - stopped early\n")


def test_a_stage_forgets_the_one_before(capsys: pytest.CaptureFixture[str]) -> None:
    lines = StageLines()
    for task in ("train net", "evaluate net"):
        lines.start(task, 30)
        if task == "train net":
            lines.epoch(epoch(1, valid=math.nan))
        lines.finish()
    assert capsys.readouterr().err.splitlines()[1].startswith("evaluate net: 0.0 s")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that progress reads, in its only item."""
    now = [1000.0]
    monkeypatch.setattr("speckle_core.cli.progress.time.perf_counter", lambda: now[0])
    return now


def test_a_log_hears_once_a_minute_of_a_stage_that_lasts(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    lines = StageLines()
    lines.start("explain with saliency", 400)
    for _ in range(20):
        clock[0] += 10
        lines.advance(10)
    lines.finish()
    assert capsys.readouterr().err.splitlines() == [
        "  explain with saliency: 60 of 400 patterns, 5 min 40 s left",
        "  explain with saliency: 120 of 400 patterns, 4 min 40 s left",
        "  explain with saliency: 180 of 400 patterns, 3 min 40 s left",
        "explain with saliency: 200 patterns, 3 min 20 s (1 patterns/s)",
    ]


def test_a_pattern_read_twice_counts_once(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    lines = StageLines()
    lines.start("fit radial-lda", 40)
    for amount in (16, 40):  # a look at some, then all
        clock[0] += 5
        lines.advance(amount)
    lines.finish()
    assert capsys.readouterr().err == "fit radial-lda: 40 patterns, 10.0 s (4 patterns/s)\n"


def test_a_log_hears_every_long_epoch_and_where_the_next_one_is(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    lines = StageLines()
    lines.start("train net", 100, epochs=True)
    for number in (1, 2):
        for _ in range(2):
            clock[0] += 40
            lines.advance(50)
        lines.epoch(epoch(number, of=3))
    first, one, second, two = capsys.readouterr().err.splitlines()
    assert first == "  train net, this epoch: 100 of 100 patterns, 0.0 s left of it"
    assert one.startswith("  epoch 1/3: loss 0.6000, ")
    assert second == "  train net, epoch 2/3: 100 of 100 patterns, 1 min 20 s left"
    assert two.startswith("  epoch 2/3: loss 0.6000, ")


def test_a_log_is_not_filled_by_short_epochs(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    lines = StageLines()
    lines.start("train net", 100)
    for number in range(1, 13):
        clock[0] += 10
        lines.advance(100)
        lines.epoch(epoch(number, of=20))
    said = capsys.readouterr().err
    assert re.findall(r"epoch (\d+)/20: loss", said) == ["6", "12"]


def test_the_bar_of_a_training_stands_for_all_epochs_once_their_number_is_known() -> None:
    console = Console(file=io.StringIO(), force_terminal=True)
    with Bars(TextColumn(""), console=console) as bars:
        stage = StageBars(bars)
        stage.start("train net", 100)
        stage.advance(60)
        (bar,) = bars.tasks
        assert (bar.completed, bar.total, bar.visible) == (60, 100, True)
        # The first epoch heard of is the third: an earlier training is gone on with.
        stage.epoch(epoch(3))
        assert (bar.completed, bar.total) == (300, 400)
        assert bar.speed is None
        stage.advance(100)
        stage.epoch(epoch(4))
        assert (bar.completed, bar.total) == (400, 400)
        stage.finish()
        assert not bar.visible
        stage.start("evaluate net", 50)
        assert (bar.completed, bar.total, bar.description) == (0, 50, "evaluate net")


def test_every_epoch_is_a_line_above_the_bar(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(file=io.StringIO(), force_terminal=True)
    with Bars(console=console, redirect_stderr=False) as bars:
        stage = StageBars(bars)
        stage.start("train net", 100)
        stage.epoch(epoch(1))
    assert capsys.readouterr().err == (
        "  epoch 1/4: loss 0.6000, accuracy 0.700, validation loss 0.6500, accuracy 0.800, 2.0 s\n"
    )
