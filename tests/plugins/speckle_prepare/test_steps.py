"""The preprocessors: values worked out by hand, and the rules every one of them keeps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from speckle_core import KGrid, OptionError, PatternError
from speckle_prepare.steps import BlockCenter, Log, MinMax, Standardize

GRID = KGrid.centered(5, 0.1)
STEPS = [BlockCenter(size=3), Standardize(), MinMax(), Log()]
EVERY = pytest.mark.parametrize("step", STEPS, ids=lambda s: type(s).__name__)


def some(count=4, dtype=np.float32, size=5):
    rng = np.random.default_rng(0)
    return (rng.exponential(size=(count, size, size)) * 10.0 ** rng.integers(-3, 9)).astype(dtype)


@EVERY
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floating_type_and_shape_stay_and_input_is_untouched(step, dtype):
    patterns = some(dtype=dtype)
    before = patterns.copy()
    out = step(patterns, GRID)
    assert out.dtype == dtype
    assert out.shape == patterns.shape
    np.testing.assert_array_equal(patterns, before)
    assert not np.shares_memory(out, patterns)


@EVERY
def test_whole_numbers_of_photons_come_out_floating(step):
    counts = np.arange(25, dtype=np.uint16).reshape(1, 5, 5)
    assert np.issubdtype(step(counts, GRID).dtype, np.floating)


@EVERY
def test_a_read_only_pattern_is_accepted(step):
    patterns = some()
    patterns.flags.writeable = False
    step(patterns, GRID)


@EVERY
@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    patterns=arrays(
        np.float32, (3, 5, 5), elements=st.floats(0, float(np.float32(1e30)), width=32), unique=True
    )
)
def test_a_batch_comes_out_as_its_patterns_one_by_one(step, patterns):
    alone = [step(pattern[None], GRID)[0] for pattern in patterns]
    np.testing.assert_array_equal(step(patterns, GRID), alone)


@EVERY
def test_a_large_batch_comes_out_as_its_patterns_one_by_one(step):
    grid = KGrid.centered(65, 0.1)
    patterns = some(7, size=65)
    alone = [step(pattern[None], grid)[0] for pattern in patterns]
    np.testing.assert_array_equal(step(patterns, grid), alone)


@EVERY
def test_no_patterns_give_no_patterns(step):
    assert step(some(0), GRID).shape == (0, 5, 5)


@EVERY
@pytest.mark.parametrize("shape", [(5, 5), (1, 4, 5), (2, 7, 7)])
def test_a_shape_other_than_the_grids_is_refused(step, shape):
    with pytest.raises(PatternError, match=r"\(B, 5, 5\)"):
        step(np.ones(shape), GRID)


def test_block_hides_the_pixels_about_k_zero_and_no_others():
    out = BlockCenter(size=3)(np.ones((2, 5, 5)), GRID)
    expected = np.array(
        [[1, 1, 1, 1, 1], [1, 0, 0, 0, 1], [1, 0, 0, 0, 1], [1, 0, 0, 0, 1], [1, 1, 1, 1, 1]]
    )
    np.testing.assert_array_equal(out, [expected, expected])


def test_default_block_hides_121_pixels_and_36_on_a_quadrant():
    centred, quadrant = KGrid.centered(257, 0.1), KGrid.quadrant(257, 0.1)
    assert np.sum(BlockCenter()(np.ones((1, 257, 257)), centred) == 0) == 121
    assert np.sum(BlockCenter()(np.ones((1, 257, 257)), quadrant) == 0) == 36


def test_block_hides_even_what_is_not_a_number():
    patterns = np.ones((1, 5, 5))
    patterns[0, 2, 2] = np.nan
    assert np.isfinite(BlockCenter(size=1)(patterns, GRID)).all()


@pytest.mark.parametrize("size", [0, 2, -3])
def test_a_block_of_even_or_no_size_is_refused(size):
    with pytest.raises(OptionError, match="odd"):
        BlockCenter(size=size)


def test_standardized_values_are_those_worked_out_by_hand():
    # 0, 1, 2, 3: mean 1.5, mean square deviation 1.25.
    grid = KGrid.quadrant(2, 0.1)
    out = Standardize()(np.array([[[0.0, 1.0], [2.0, 3.0]]]), grid)
    expected = np.array([-1.5, -0.5, 0.5, 1.5]) / np.sqrt(1.25)
    np.testing.assert_allclose(out.ravel(), expected, rtol=1e-14)


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_standardized_patterns_have_zero_mean_and_unit_variance(scale):
    grid = KGrid.centered(257, 0.1)
    rng = np.random.default_rng(1)
    patterns = (rng.exponential(size=(3, 257, 257)) * scale).astype(np.float32)
    patterns[:, 128, 128] = 1e4 * scale
    out = Standardize()(patterns, grid).astype(np.float64)
    np.testing.assert_allclose(out.mean(axis=(1, 2)), 0, atol=1e-7)
    np.testing.assert_allclose(out.var(axis=(1, 2)), 1, rtol=1e-6)


def test_min_max_brings_each_pattern_from_zero_to_one():
    patterns = np.arange(50.0).reshape(2, 5, 5) * 3 - 7
    out = MinMax()(patterns, GRID)
    np.testing.assert_allclose(out, np.broadcast_to(np.linspace(0, 1, 25).reshape(5, 5), out.shape))


@pytest.mark.parametrize(("step", "lacking"), [(Standardize(), "variance"), (MinMax(), "range")])
@pytest.mark.parametrize("level", [0.0, 0.1, 1e9])
def test_a_constant_pattern_is_refused_by_its_index(step, lacking, level):
    patterns = some()
    patterns[2] = level
    with pytest.raises(PatternError, match=f"pattern 2 has no {lacking}"):
        step(patterns, GRID)


@pytest.mark.parametrize("step", [Standardize(), MinMax()])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_pattern_with_nan_or_infinity_is_refused_by_its_index(step, bad):
    patterns = some()
    patterns[1, 0, 3] = bad
    with pytest.raises(PatternError, match="pattern 1 contains NaN or infinity"):
        step(patterns, GRID)


def test_log_is_log_of_one_plus_intensity_over_scale():
    patterns = np.array([[[0.0, 1.0], [np.e - 1, 1e6]]])
    grid = KGrid.quadrant(2, 0.1)
    np.testing.assert_allclose(
        Log()(patterns, grid).ravel(), [0, np.log(2), 1, np.log(1_000_001)], rtol=1e-14
    )
    np.testing.assert_allclose(
        Log(scale=1e6)(patterns, grid).ravel()[[0, 3]], [0, np.log(2)], rtol=1e-14
    )


def test_log_refuses_a_negative_intensity_by_its_index():
    patterns = some()
    patterns[3, 4, 4] = -1e-3
    with pytest.raises(PatternError, match="pattern 3 has a negative intensity"):
        Log()(patterns, GRID)


@pytest.mark.parametrize("scale", [0.0, -1.0, np.inf, np.nan])
def test_a_log_scale_that_is_not_positive_is_refused(scale):
    with pytest.raises(OptionError, match="scale"):
        Log(scale=scale)


@pytest.mark.parametrize("offset", [0.0, 1e3, -1e3])
def test_float32_patterns_are_standardized_as_well_as_in_float64(offset):
    rng = np.random.default_rng(5)
    patterns = (rng.exponential(size=(3, 257, 257)) ** 4 + offset).astype(np.float32)
    grid = KGrid.centered(257, 0.1)
    exact = patterns.astype(np.float64)
    exact -= exact.mean(axis=(1, 2), keepdims=True)
    exact /= exact.std(axis=(1, 2), keepdims=True)
    found = Standardize()(patterns, grid)
    np.testing.assert_allclose(found, exact, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(
        Standardize()(patterns.astype(np.float64), grid), exact, rtol=1e-9, atol=1e-9
    )
