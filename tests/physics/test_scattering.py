"""What both scatterers owe to physics and to each other, on shapes known and unknown."""

import attrs
import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from speckle_core import Configuration, KGrid, Scatterer, SupportsIntensities
from speckle_disks.disks import Disks
from speckle_disks.samplers import Monodisperse, Polydisperse
from speckle_scatter.analytic import Analytic
from speckle_scatter.raster import Fft

BOTH = pytest.mark.parametrize("scatterer", [Analytic(), Fft()], ids=["analytic", "fft"])
GRIDS = pytest.mark.parametrize(
    "grid",
    [KGrid.centered(33, 0.004), KGrid.centered(1, 0.004), KGrid.quadrant(20, 0.005)],
    ids=["centered", "one pixel", "quadrant"],
)


def draw(count, seed=0, sampler=None):
    return (sampler or Monodisperse()).sample(count, np.random.default_rng(seed))


def with_contrast(configuration, contrast):
    return Configuration(
        tuple(attrs.evolve(p, contrast=contrast) for p in configuration.particles),
        configuration.box,
    )


def moved(configuration, by):
    return Configuration(
        tuple(attrs.evolve(p, centers=p.centers + by) for p in configuration.particles),
        configuration.box,
    )


def relative_error(pattern, expected):
    return np.linalg.norm(pattern - expected) / np.linalg.norm(expected)


@pytest.fixture
def mixture(ellipses):
    """Equal disks, one of another size, and ellipses, all with complex contrast."""
    rng = np.random.default_rng(2)
    equal, single = draw(5, 3).particles[0], Disks([[300.0, 1800.0]], [44.0])
    species = [
        attrs.evolve(p, contrast=rng.normal(size=len(p)) + 1j * rng.normal(size=len(p)))
        for p in (equal, single, ellipses)
    ]
    return Configuration(species, 2000.0)


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
def test_analytic_is_the_defining_sum_for_a_shape_without_optional_powers(
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
    configurations = [draw(3), draw(4, 1, Polydisperse()), mixture]
    together = scatterer.intensities(configurations, grid)
    assert together.dtype == np.float32
    assert together.shape == (3, *grid.shape)
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


@BOTH
def test_kx_runs_along_the_last_axis(scatterer):
    # Young's fringes of two disks 125 apart along x: dark where kx·125 = π, 16 steps of π/2000.
    grid = KGrid.quadrant(33, np.pi / 2000)
    pair = Configuration(Disks([[900.0, 1000.0], [1025.0, 1000.0]], [40.0, 40.0]), 2000.0)
    pattern = scatterer.intensity(pair, grid)
    assert np.argmin(pattern[0]) == 16
    assert pattern[0, 16] < 1e-6 * pattern[0, 0]
    assert pattern[16, 0] > 0.3 * pattern[0, 0]


@BOTH
def test_sign_of_the_phase_is_that_of_the_definition(scatterer):
    grid = KGrid.centered(9, 0.002)
    amplitude = scatterer.amplitude(Configuration(Disks([[150.0, 400.0]], [50.0]), 2000.0), grid)
    kx, ky = grid.axis[7], grid.axis[2]
    assert np.angle(amplitude[2, 7]) == pytest.approx(
        np.angle(np.exp(-1j * (kx * 150 + ky * 400))), abs=1e-6
    )


@BOTH
def test_real_contrast_obeys_friedels_law_exactly(scatterer, paper_grid):
    pattern = scatterer.intensities([draw(9)], paper_grid)[0]
    np.testing.assert_array_equal(pattern, pattern[::-1, ::-1])


@BOTH
def test_complex_contrast_breaks_friedels_law(scatterer):
    contrast = np.exp(1j * np.arange(9))
    pattern = scatterer.intensity(with_contrast(draw(9), contrast), KGrid.centered(65, 0.002))
    assert relative_error(pattern, pattern[::-1, ::-1]) > 0.1


@BOTH
def test_a_common_phase_of_the_contrast_leaves_the_intensity(scatterer):
    grid = KGrid.centered(65, 0.002)
    configuration = draw(9)
    turned = with_contrast(configuration, np.full(9, np.exp(0.7j)))
    expected = scatterer.intensity(configuration, grid)
    assert relative_error(scatterer.intensity(turned, grid), expected) < 1e-12


@BOTH
def test_a_translation_leaves_the_intensity(scatterer, paper_grid):
    # By whole pixels, so that the raster moves as one; well inside the box, so that nothing is cut.
    inner = Configuration(Disks([[700.3, 900.0], [1100.0, 1000.7]], [90.0, 60.0]), 2000.0)
    expected = scatterer.intensity(inner, paper_grid)
    shifted = scatterer.intensity(moved(inner, (-211.0, 345.0)), paper_grid)
    assert relative_error(shifted, expected) < 1e-11


@pytest.mark.parametrize("complex_contrast", [False, True])
def test_turning_the_box_by_a_right_angle_turns_the_pattern(complex_contrast, paper_grid):
    contrast = np.exp(1j * np.arange(8)) if complex_contrast else np.ones(8)
    disks = draw(8, 4, Polydisperse()).particles[0]
    x, y = disks.centers.T
    before = Configuration(attrs.evolve(disks, contrast=contrast), 2000.0)
    after = Configuration(
        attrs.evolve(disks, contrast=contrast, centers=np.stack([2000 - y, x], axis=1)), 2000.0
    )
    expected = np.rot90(Analytic().intensity(before, paper_grid), -1)
    assert relative_error(Analytic().intensity(after, paper_grid), expected) < 1e-12


@pytest.mark.parametrize("count", [2, 20])
@pytest.mark.parametrize("sampler", [Monodisperse(), Polydisperse()])
def test_forward_intensity_is_the_square_of_the_total_area(count, sampler, paper_grid):
    pattern = Analytic().intensity(draw(count, 1, sampler), paper_grid)
    assert pattern[128, 128] == pytest.approx((16200 * np.pi) ** 2, rel=1e-12)
    assert pattern.argmax() == 128 * 257 + 128


def test_forward_amplitude_of_a_configuration_is_that_of_the_scatterer(mixture):
    amplitude = Analytic().amplitude(mixture, KGrid.centered(1, 1.0))[0, 0]
    # The test's own ellipses are regularised at k = 0 to about 1e-18.
    assert mixture.forward_amplitude() == pytest.approx(amplitude, rel=1e-12)


@BOTH
def test_the_quadrant_layout_is_the_upper_right_quarter_of_the_centred_one(scatterer, mixture):
    for configuration in (draw(6), mixture):
        whole = scatterer.amplitude(configuration, KGrid.centered(65, 0.002))
        quarter = scatterer.amplitude(configuration, KGrid.quadrant(33, 0.002))
        np.testing.assert_allclose(quarter, whole[32:, 32:], atol=1e-10 * np.abs(whole).max())


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
