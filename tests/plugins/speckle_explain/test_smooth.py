from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from speckle_core import Component, OptionError, PluginError, create
from speckle_core.analysis.lattice import PERIODS, lattice_share
from speckle_core.explain.report_section import describe_lattice
from speckle_core.testing import run_checks
from speckle_core.testing.specimens import easy_patterns
from speckle_explain.smooth import even_shifts


class Strided:
    """Its gradient is a lattice of 16 pixels that stays where it is, whatever it is shown."""

    classes = np.array([2, 3])

    def __init__(self, size: int) -> None:
        y, x = np.mgrid[:size, :size]
        waves = np.cos(2 * np.pi * x / 16) + np.cos(2 * np.pi * y / 16)
        self.gradient = (1 + 0.2 * waves).astype(np.float32)

    def predict_proba(self, patterns: Any) -> Any:
        return np.full((len(patterns), 2), 0.5)

    def input_gradients(self, patterns: Any, targets: Any, *, guided: bool = False) -> Any:
        return np.broadcast_to(self.gradient, patterns.shape)


def test_shifts_take_the_lattice_away_and_noise_alone_does_not() -> None:
    network: Any = Strided(65)
    patterns = np.random.default_rng(0).normal(size=(1, 65, 65)).astype(np.float32)
    shares = {}
    for shift in (0, 16):
        explainer = create("explainer", "smooth-saliency", samples=16, shift=shift)
        (found,) = explainer.explain(network, patterns, np.zeros(1, dtype=int))
        # What is left of the waves, in their own units.
        shares[shift] = found.std() / network.gradient.std()
        assert found.mean() == pytest.approx(1, abs=0.05)
    assert lattice_share(network.gradient, 16)[0] > 0.9
    assert shares[0] == pytest.approx(1, abs=1e-3)
    assert shares[16] < 0.15  # what the edges wrap round


def test_without_noise_or_shift_it_is_the_plain_saliency() -> None:
    from speckle_core.testing.specimens import TinyNetwork

    patterns, targets = easy_patterns(0).batch(range(3))[0], np.array([0, 1, 2])
    network: Any = TinyNetwork.from_seed(0)
    plain = create("explainer", "saliency").explain(network, patterns, targets)
    same = create("explainer", "smooth-saliency", noise=0.0, samples=2)
    assert np.allclose(same.explain(network, patterns, targets), plain, rtol=1e-5)


def test_it_conforms_and_refuses_what_has_no_gradients() -> None:
    component = Component("smooth-saliency", "speckle_explain.smooth:SmoothSaliency", "x.")
    assert all(r.ok for r in run_checks("explainer", component, options={"samples": 3}))
    with pytest.raises(OptionError, match="negative"):
        create("explainer", "smooth-saliency", noise=-1.0)
    with pytest.raises(PluginError, match="needs gradients"):
        create("explainer", "smooth-saliency").explain(
            object(), np.zeros((1, 5, 5), np.float32), np.zeros(1, dtype=int)
        )


@pytest.mark.parametrize("period", PERIODS)
def test_what_the_report_advises_against_a_lattice_covers_its_period(period: int) -> None:
    shares = [0.5 if p == period else 0.001 for p in PERIODS]
    found = {"period": PERIODS, "share": shares, "control": shares, "even": [0.001] * len(PERIODS)}
    (told,) = describe_lattice({key: list(values) for key, values in found.items()})
    advice = {key: int(value) for key, value in re.findall(r"(shift|samples)=(\d+)", told)}
    one = create("explainer", "smooth-saliency", **advice)
    for places in even_shifts(one.samples, one.shift).T % period:
        assert len(set(np.bincount(places, minlength=period))) == 1
