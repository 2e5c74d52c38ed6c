import numpy as np
import pytest

from speckle_core.analysis.intervals import paired_interval, wilson


@pytest.mark.parametrize(
    ("successes", "total", "low", "high"),
    [
        # R. G. Newcombe, Stat. Med. 17, 857 (1998), table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
        # All of ten: 1 / (1 + z²/10).
        (10, 10, 0.7225, 1.0000),
    ],
)
def test_the_wilson_interval_is_the_published_one(successes, total, low, high):
    assert wilson(successes, total) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("cells", "low", "high"),
    [
        # R. G. Newcombe, Stat. Med. 17, 2635 (1998), table III, method 10.
        ((36, 12, 2, 0), 0.0569, 0.3404),
        ((20, 12, 2, 16), 0.0562, 0.3292),
        ((18, 12, 2, 18), 0.0562, 0.3290),
        ((36, 14, 0, 0), 0.1528, 0.4167),
        ((35, 14, 0, 1), 0.1461, 0.4175),
        ((18, 14, 0, 18), 0.1441, 0.3963),
        ((2, 97, 1, 0), 0.8721, 0.9854),
        ((1, 97, 1, 1), 0.8736, 0.9850),
        ((0, 30, 0, 0), 0.8395, 1.0000),
        ((54, 0, 0, 0), -0.0664, 0.0664),
        ((30, 0, 0, 24), -0.0358, 0.0358),
    ],
)
def test_the_paired_interval_is_the_published_one(cells, low, high):
    assert paired_interval(*cells) == pytest.approx((low, high), abs=1e-4)


def test_the_paired_interval_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(3)
    shares = np.array([0.6, 0.2, 0.1, 0.1])
    drawn = rng.multinomial(200, shares, size=2000)
    held = [low <= 0.1 <= high for low, high in (paired_interval(*cells) for cells in drawn)]
    assert np.mean(held) == pytest.approx(0.95, abs=0.02)


def test_exchanging_the_two_turns_the_interval_around():
    low, high = paired_interval(60, 20, 5, 15)
    assert paired_interval(60, 5, 20, 15) == pytest.approx((-high, -low))


@pytest.mark.parametrize("cells", [(3, 1, 1, 1), (1, 0, 0, 1)])
def test_an_association_below_its_continuity_correction_counts_as_none(cells):
    # Then the interval is Newcombe's for two independent samples of the same size.
    both, first, second, _ = cells
    total = sum(cells)
    p, q = (both + first) / total, (both + second) / total
    (p_low, p_high), (q_low, q_high) = wilson(both + first, total), wilson(both + second, total)
    expected = (
        p - q - np.hypot(p - p_low, q_high - q),
        p - q + np.hypot(p_high - p, q - q_low),
    )
    assert paired_interval(*cells) == pytest.approx(expected)
