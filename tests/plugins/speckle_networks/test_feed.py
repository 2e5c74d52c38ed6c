import threading
import time

import numpy as np
import pytest

from speckle_core.contracts.grid import KGrid
from speckle_core.errors import PatternError
from speckle_networks import feed


def test_an_epochs_order_is_a_permutation_that_seed_and_epoch_alone_decide():
    first = feed.shuffled(50, seed=3, epoch=7)
    assert sorted(first) == list(range(50))
    assert (first == feed.shuffled(50, seed=3, epoch=7)).all()
    assert (first != feed.shuffled(50, seed=3, epoch=8)).any()
    assert (first != feed.shuffled(50, seed=4, epoch=7)).any()


@pytest.mark.parametrize(
    ("count", "least", "sizes"),
    [(12, 2, [5, 5, 2]), (11, 2, [5, 6]), (10, 2, [5, 5]), (1, 2, [1]), (13, 4, [5, 8])],
)
def test_a_rest_too_small_for_a_batch_joins_the_last(count, least, sizes):
    batches = feed.split(np.arange(count), 5, least)
    assert [len(b) for b in batches] == sizes
    assert np.concatenate(batches).tolist() == list(range(count))


def test_the_eight_mirror_images_are_the_symmetries_of_the_square():
    pattern = np.arange(9, dtype=np.float32).reshape(3, 3)
    images = feed.mirrored(np.stack([pattern] * 8), np.arange(8))
    turns = [np.rot90(p, k) for p in (pattern, pattern.T) for k in range(4)]
    assert {i.tobytes() for i in images} == {np.ascontiguousarray(t).tobytes() for t in turns}
    assert (images[0] == pattern).all()


def test_mirroring_a_pattern_is_mirroring_its_configuration():
    k = np.arange(-3, 4) * 0.3
    centers = np.array([[1.0, 2.0], [4.0, 1.5], [-2.0, 3.0]])

    def intensity(centers):
        phase = (
            k[None, None, :] * centers[:, 0, None, None] + k[:, None] * centers[:, 1, None, None]
        )
        return (np.abs(np.exp(-1j * phase).sum(0)) ** 2).astype(np.float32)

    mirrored = [centers, centers * [-1, 1], centers * [1, -1], centers[:, ::-1]]
    images = feed.mirrored(np.stack([intensity(centers)] * 4), np.array([0, 1, 2, 4]))
    for image, configuration in zip(images, mirrored, strict=True):
        np.testing.assert_allclose(image, intensity(configuration), rtol=1e-4)


def test_the_window_is_central_and_odd():
    rows, columns = feed.View(3).window((9, 9))
    assert np.arange(9)[rows].tolist() == np.arange(9)[columns].tolist() == [3, 4, 5]


def test_half_a_square_has_the_middle_row_and_those_above_it():
    numbers = np.arange(81).reshape(9, 9)
    whole, square = feed.View(half=True), feed.View(5, half=True)
    np.testing.assert_array_equal(numbers[whole.window((9, 9))], numbers[4:])
    np.testing.assert_array_equal(numbers[square.window((9, 9))], numbers[4:7, 2:7])
    inner = numbers[square.square((9, 9))]
    np.testing.assert_array_equal(square.of_square(inner[None])[0], numbers[4:7, 2:7])


def test_the_other_half_repeats_the_first():
    # Friedel's law, from the pattern of bodies that have no symmetry at all.
    grid = KGrid.centered(9, 0.1)
    density = np.random.default_rng(1).random((9, 9))
    pattern = np.abs(np.fft.fftshift(np.fft.fft2(density))) ** 2
    read = pattern[feed.View(half=True).window(grid.shape)]
    np.testing.assert_allclose(pattern[::-1, ::-1][4:], read, rtol=1e-9)
    np.testing.assert_allclose(pattern[:5], read[::-1, ::-1], rtol=1e-9)


def test_half_of_a_pattern_without_a_middle_row_is_refused():
    with pytest.raises(PatternError, match="no middle row"):
        feed.View(half=True).window((8, 9))


@pytest.mark.parametrize("shape", [(8, 8), (5, 5)])
def test_a_pattern_without_that_centre_is_refused(shape):
    with pytest.raises(PatternError, match="central 7 × 7"):
        feed.View(7).window(shape)


def test_reading_runs_ahead_of_its_use_and_keeps_the_order():
    read = []
    with feed.ahead(lambda job: read.append(job) or job, range(6), depth=2) as results:
        assert next(results) == 0
        deadline = time.monotonic() + 5
        while len(read) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert read == [0, 1, 2]
        assert list(results) == [1, 2, 3, 4, 5]


def test_a_failing_read_is_heard_and_the_thread_ends():
    def read(job):
        raise ValueError(job)

    with pytest.raises(ValueError, match="0"), feed.ahead(read, range(9)) as results:
        next(results)
    assert not [t for t in threading.enumerate() if t.name.startswith("speckle-feed")]


def test_leaving_early_ends_the_thread():
    with feed.ahead(lambda job: job, range(9)) as results:
        next(results)
    assert not [t for t in threading.enumerate() if t.name.startswith("speckle-feed")]
