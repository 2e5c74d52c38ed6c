"""What `speckle bench` prints of the figures that it is given."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from speckle_core import bench
from speckle_core.bench import Figure


@pytest.fixture(autouse=True)
def _figures(monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(size: int, *, network: bool) -> Iterator[Figure]:
        yield Figure(name="product", ms=0.5, reference=0.25)
        yield Figure(name="read", ms=2.0)
        if network:
            yield Figure(name="network", ms=None, note="torch is not installed")

    monkeypatch.setattr(bench, "measure", measure)


def test_figures_are_printed_beside_the_product_and_the_reference(
    invoke: Callable[..., Any],
) -> None:
    lines = invoke("bench").stdout.splitlines()
    assert lines[1].split() == ["product", "0.5", "2e+03", "1.00", "0.25"]
    assert lines[2].split() == ["read", "2", "500", "4.00"]
    assert "torch is not installed" in lines[3]


def test_one_json_document_has_every_figure(invoke: Callable[..., Any]) -> None:
    found = json.loads(invoke("bench", "--size", "65", "--no-network", "--json").stdout)
    assert found["size"] == 65
    assert [figure["name"] for figure in found["figures"]] == ["product", "read"]
    assert found["figures"][0]["ms"] == 0.5


def test_an_even_size_is_refused_in_words_that_fit(invoke: Callable[..., Any]) -> None:
    told = invoke("bench", "--size", 10)
    assert told.exit_code == 2
    assert "must be odd" in told.stderr
