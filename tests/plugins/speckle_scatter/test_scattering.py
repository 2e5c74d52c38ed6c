"""What both scatterers owe to physics and to each other, on shapes known and unknown."""

import concurrent.futures
import warnings

import attrs
import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from speckle_core import Configuration, KGrid, Scatterer, SlowWarning, SupportsIntensities
from speckle_disks.disks import Disks
from speckle_disks.samplers import Monodisperse, Polydisperse
from speckle_scatter.analytic import Analytic, tell_slow
from speckle_scatter.raster import Fft

BOTH = pytest.mark.parametrize("scatterer", [Analytic(), Fft()], ids=["analytic", "fft"])
GRIDS = pytest.mark.parametrize(
    "grid",
    [KGrid.centered(33, 0.004), KGrid.centered(1, 0.004), KGrid.quadrant(20, 0.005)],
    ids=["centered", "one pixel", "quadrant"],
)


def draw(count, seed=0, sampler=None):
    return (sampler or Monodisperse()).sample(count, np.random.default_rng(seed))


def relative_error(pattern, expected):
    return np.linalg.norm(pattern - expected) / np.linalg.norm(expected)


@BOTH
def test_scatterers_fill_their_role_and_the_optional_power(scatterer):
    assert isinstance(scatterer, Scatterer)
    assert isinstance(scatterer, SupportsIntensities)


@GRIDS
@pytest.mark.parametrize("count", [1, 2, 5, 100, 150])
@pytest.mark.parametrize("sampler", [Monodisperse(gap=1.0), Polydisperse(gap=0.0)])
def test_analytic_is_the_defining_sum(grid, count, sampler, direct_sum):
    configuration = draw(count, count, sampler)
    expected = direct_sum(configuration, grid)
    error = np.abs(Analytic().amplitude(configuration, grid) - expected)
    assert error.max() < 1e-13 * 16200 * np.pi


@GRIDS
def test_analytic_is_the_defining_sum_for_mixed_shapes_of_complex_contrast(
    grid, mixture, direct_sum
):
    expected = direct_sum(mixture, grid)
    error = np.abs(Analytic().amplitude(mixture, grid) - expected)
    assert error.max() < 1e-13 * np.abs(expected).max()


@GRIDS
def test_analytic_is_the_defining_sum_for_a_shape_without_optional_capabilities(
    grid, ellipses, direct_sum
):
    configuration = Configuration(ellipses, 2000.0)
    expected = direct_sum(configuration, grid)
    error = np.abs(Analytic().amplitude(configuration, grid) - expected)
    assert error.max() < 1e-13 * np.abs(expected).max()


def test_analytic_computes_unknown_shapes_in_blocks_without_a_seam(ellipses, direct_sum):
    grid = KGrid.centered(61, 0.004)
    rng = np.random.default_rng(0)
    many = 400 * 3
    crowd = attrs.evolve(
        ellipses,
        centers=rng.uniform(0, 2000, (many, 2)),
        semi_axes=np.tile(ellipses.semi_axes, (400, 1)),
        angles=np.tile(ellipses.angles, 400),
        contrast=np.ones(many),
    )
    configuration = Configuration(crowd, 2000.0)
    expected = direct_sum(configuration, grid)
    error = np.abs(Analytic().amplitude(configuration, grid) - expected)
    assert error.max() < 1e-12 * np.abs(expected).max()


@BOTH
@GRIDS
def test_intensities_are_the_intensity_of_each_rounded_to_float32(scatterer, grid, mixture):
    (disks,) = draw(3).particles
    complex_disks = Configuration(attrs.evolve(disks, contrast=[1, 1j, 2 - 1j]), 2000.0)
    configurations = [draw(3), draw(4, 1, Polydisperse()), mixture, complex_disks]
    together = scatterer.intensities(configurations, grid)
    assert together.dtype == np.float32
    assert together.shape == (4, *grid.shape)
    for configuration, pattern in zip(configurations, together, strict=True):
        alone = scatterer.intensity(configuration, grid)
        np.testing.assert_array_equal(pattern, alone.astype(np.float32))
        np.testing.assert_allclose(
            alone, np.abs(scatterer.amplitude(configuration, grid)) ** 2, rtol=1e-12
        )


@BOTH
def test_no_configurations_give_no_patterns(scatterer):
    assert scatterer.intensities([], KGrid.centered(5, 0.1)).shape == (0, 5, 5)


@BOTH
def test_an_empty_box_scatters_nothing(scatterer):
    assert not scatterer.amplitude(Configuration((), 2000.0), KGrid.centered(5, 0.1)).any()


@BOTH
def test_a_pattern_has_the_same_bytes_alone_in_a_batch_and_after_any_other(
    scatterer, paper_grid, mixture
):
    configurations = [draw(20), mixture, draw(20, 1, Polydisperse()), draw(2, 2)]
    batch = scatterer.intensities(configurations, paper_grid)
    fresh = type(scatterer)()
    for i in (3, 1, 2, 0):
        alone = fresh.intensities([configurations[i]], paper_grid)[0]
        assert alone.tobytes() == batch[i].tobytes()


def test_a_pattern_has_the_same_bytes_beside_others_in_threads():
    grid = KGrid.centered(65, np.pi / 2000)
    # Each configuration's species are in several groups of waves, and both kinds of columns.
    crowds = [
        Configuration(
            tuple(draw(n, n, s(gap=0.0)).particles[0] for n, s in kinds),
            2000.0,
        )
        for kinds in (
            [(70, Monodisperse), (9, Polydisperse), (40, Monodisperse)],
            [(2, Polydisperse), (60, Polydisperse), (66, Monodisperse)],
            [(200, Monodisperse), (3, Polydisperse)],
        )
    ]
    alone = [Analytic().intensities([crowd], grid)[0] for crowd in crowds]
    scatterer = Analytic()
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        for turn in pool.map(lambda _: scatterer.intensities(crowds, grid), range(6)):
            np.testing.assert_array_equal(turn, alone)


def test_where_another_scatterer_is_much_faster_it_is_named_once():
    grid, rng = KGrid.centered(5, 0.01), np.random.default_rng(0)
    places, radii = rng.uniform(0, 2000, (1000, 2)), np.full(1000, 2.0)
    alike, unlike = Disks(places, radii), Disks(places, radii + np.arange(1000) % 2)
    tell_slow.cache_clear()
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        Analytic().intensities([Configuration(unlike, 2000.0)], grid)
        assert not given
        for _ in range(2):
            Analytic().intensities([Configuration(alike, 2000.0)], grid)
    (warning,) = given
    assert issubclass(warning.category, SlowWarning)
    assert "'nufft'" in str(warning.message)


def test_waves_that_are_kept_are_not_overwritten_by_those_of_another_grid():
    for grid in (KGrid.centered(1, 0.01), KGrid.centered(9, 0.01)):
        fft, configuration = Fft(pixels=101), draw(3)
        before = fft.amplitude(configuration, grid)
        Analytic().amplitude(draw(7, 1, Polydisperse()), KGrid.centered(9, 0.02))
        np.testing.assert_array_equal(fft.amplitude(configuration, grid), before)


@BOTH
@pytest.mark.parametrize("count", [2, 20, 300])
def test_an_amplitude_has_the_same_bytes_with_any_number_of_threads(scatterer, count, paper_grid):
    # Amplitudes and not patterns, since rounding to float32 would hide most of the last bits.
    configurations = [draw(count, 0, s) for s in (Monodisperse(gap=0.0), Polydisperse(gap=0.0))]
    amplitudes = []
    for threads in (1, 2, 3):
        with threadpool_limits(threads):
            amplitudes.append([scatterer.amplitude(c, paper_grid) for c in configurations])
    np.testing.assert_array_equal(amplitudes[0], amplitudes[1])
    np.testing.assert_array_equal(amplitudes[0], amplitudes[2])


@BOTH
def test_input_is_left_as_it_is(scatterer, mixture, paper_grid):
    before = [attrs.asdict(p, recurse=False) for p in mixture.particles]
    before = [{k: np.copy(v) for k, v in fields.items()} for fields in before]
    scatterer.intensities([mixture], paper_grid)
    for fields, particles in zip(before, mixture.particles, strict=True):
        for name, value in fields.items():
            np.testing.assert_array_equal(getattr(particles, name), value)


@attrs.frozen(eq=False)
class Spheres:
    """Projected spheres of one radius, round and unknown to the plugins."""

    centers: np.ndarray
    radius: float

    def __len__(self):
        return len(self.centers)

    @property
    def contrast(self):
        return np.ones(len(self))

    @property
    def bounding_radii(self):
        return np.full(len(self), self.radius)

    def form_factors(self, kx, ky):
        return np.broadcast_to(
            self.radial_form_factor(0, np.hypot(kx, ky)), (len(self), *np.shape(kx))
        )

    def density(self, i, x, y):
        squared = (x - self.centers[i, 0]) ** 2 + (y - self.centers[i, 1]) ** 2
        return 2 * np.sqrt(np.maximum(self.radius**2 - squared, 0))

    def shape_keys(self):
        return [self.radius] * len(self)

    def radial_form_factor(self, i, k):
        x = np.maximum(k * self.radius, 1e-3)
        return 4 * np.pi * self.radius**3 * (np.sin(x) - x * np.cos(x)) / x**3


def test_form_factors_of_two_round_shapes_with_equal_keys_are_kept_apart(paper_grid, direct_sum):
    scatterer = Analytic()
    places = np.array([[500.0, 600.0], [1200.0, 900.0]])
    for particles in (Disks(places, [60.0, 60.0]), Spheres(places, 60.0)):
        configuration = Configuration(particles, 2000.0)
        expected = direct_sum(configuration, paper_grid)
        error = np.abs(scatterer.amplitude(configuration, paper_grid) - expected)
        assert error.max() < 1e-12 * np.abs(expected).max()


@pytest.mark.parametrize("counted", [1, 2, 3])
def test_form_factor_of_equal_disks_is_evaluated_once_per_radius(counted, paper_grid):
    asked = []

    class Watched(Disks):
        def radial_form_factor(self, i, k):
            asked.append(self.radii[i])
            return super().radial_form_factor(i, k)

    rng = np.random.default_rng(0)
    radii = np.repeat(np.arange(1, counted + 1) * 20.0, 4)
    boxes = [
        Configuration(Watched(rng.uniform(0, 2000, (len(radii), 2)), radii), 2000.0)
        for _ in range(3)
    ]
    Analytic().intensities(boxes, paper_grid)
    assert sorted(asked) == [20.0 * (i + 1) for i in range(counted)]


@pytest.mark.parametrize("count", [2, 5, 10, 20])
@pytest.mark.parametrize("sampler", [Monodisperse(), Polydisperse()])
def test_raster_and_exact_sum_agree(count, sampler, paper_grid):
    configuration = draw(count, count, sampler)
    expected = Analytic().intensity(configuration, paper_grid)
    assert relative_error(Fft().intensity(configuration, paper_grid), expected) < 5e-3


def test_raster_and_exact_sum_agree_on_shapes_they_have_never_seen(ellipses, mixture, paper_grid):
    spheres = Spheres(np.array([[500.0, 600.0], [1200.0, 900.0]]), 80.0)
    for configuration in (
        Configuration(ellipses, 2000.0),
        Configuration(spheres, 2000.0),
        mixture,
    ):
        expected = Analytic().intensity(configuration, paper_grid)
        assert relative_error(Fft().intensity(configuration, paper_grid), expected) < 5e-3
