"""Each check of scatterers passes a good one and fails one that is broken just so."""

import attrs
import numpy as np
import pytest

from speckle_core.testing import CheckFailed, CheckSkipped, checks_for


@attrs.frozen(kw_only=True)
class Born:
    """A good scatterer: the sum as it is written, in whatever way its subclasses spoil it."""

    def axes(self, grid):
        return grid.axis

    def places(self, particles):
        return particles.centers

    def factors(self, particles, kx, ky):
        return particles.form_factors(kx, ky)

    def weights(self, particles):
        return particles.contrast

    def amplitude(self, configuration, grid):
        kx, ky = np.meshgrid(self.axes(grid), self.axes(grid))
        total = np.zeros(grid.shape, dtype=complex)
        for particles in configuration.particles:
            for c, (x, y), f in zip(
                self.weights(particles),
                self.places(particles),
                self.factors(particles, kx, ky),
                strict=True,
            ):
                total += c * f * np.exp(-1j * (kx * x + ky * y))
        return total

    def intensity(self, configuration, grid):
        return np.abs(self.amplitude(configuration, grid)) ** 2

    def intensities(self, configurations, grid):
        return np.array([self.intensity(c, grid) for c in configurations], dtype=np.float32)


class NotANumber(Born):
    def amplitude(self, configuration, grid):
        found = super().amplitude(configuration, grid)
        found[3, 3] = np.nan
        return found


class Real(Born):
    def amplitude(self, configuration, grid):
        return super().amplitude(configuration, grid).real


class Cropped(Born):
    def amplitude(self, configuration, grid):
        return super().amplitude(configuration, grid)[1:, 1:]


class NotSquared(Born):
    def intensity(self, configuration, grid):
        return np.abs(self.amplitude(configuration, grid))


class Noisy(Born):
    noise = np.random.default_rng(0)  # goes on from call to call

    def amplitude(self, configuration, grid):
        noise = self.noise.normal(size=grid.shape)
        return super().amplitude(configuration, grid) + 1e-9 * noise


class Recentres(Born):
    def places(self, particles):
        centers = particles.centers
        centers -= 1.0
        return centers


class OnALattice(Born):
    def places(self, particles):
        return 50 * np.round(particles.centers / 50)


class ThinksAllIsRound(Born):
    def factors(self, particles, kx, ky):
        return particles.form_factors(np.hypot(kx, ky), 0 * ky)


class ThinksAllIsCentred(Born):
    def axes(self, grid):
        return (np.arange(grid.size) - grid.size // 2) * grid.step


class Conjugates(Born):
    def weights(self, particles):
        return np.conj(particles.contrast)


class FirstOnly(Born):
    def amplitude(self, configuration, grid):
        return super().amplitude(
            attrs.evolve(configuration, particles=configuration.particles[0]), grid
        )


class Shuffled(Born):
    def intensities(self, configurations, grid):
        return super().intensities(configurations[::-1], grid)


class Double(Born):
    def intensities(self, configurations, grid):
        return super().intensities(configurations, grid).astype(float)


class Curved(Born):
    def weights(self, particles):
        return particles.contrast * np.exp(1e-6j * particles.centers[:, 0] ** 2)


@attrs.frozen(kw_only=True)
class Beam(Born):
    """A good scatterer in a narrow beam of two modes."""

    def illumination(self, positions, box):
        along = (positions[:, 0] - box / 2) / box
        return np.exp(-4 * along**2) * np.array([np.ones_like(along), along])

    def amplitudes(self, configuration, grid):
        places = np.concatenate([p.centers for p in configuration.particles])
        ends = np.cumsum([len(p) for p in configuration.particles])[:-1]
        modes = []
        for light in self.illumination(places, configuration.box):
            bodies = tuple(
                attrs.evolve(p, contrast=p.contrast * field)
                for p, field in zip(configuration.particles, np.split(light, ends), strict=True)
            )
            lit = attrs.evolve(configuration, particles=bodies)
            modes.append(Born.amplitude(self, lit, grid))
        return np.array(modes)

    def amplitude(self, configuration, grid):
        return self.amplitudes(configuration, grid)[0]

    def intensity(self, configuration, grid):
        return (np.abs(self.amplitudes(configuration, grid)) ** 2).sum(axis=0)


class ModesInterfere(Beam):
    def intensity(self, configuration, grid):
        return np.abs(self.amplitudes(configuration, grid).sum(axis=0)) ** 2


class LastMode(Beam):
    def amplitude(self, configuration, grid):
        return self.amplitudes(configuration, grid)[-1]


class UnlikeItsBeam(Beam):
    def amplitudes(self, configuration, grid):
        return super().amplitudes(configuration, grid) * np.array([1.0, 1.1])[:, None, None]


class ForgetsAMode(Beam):
    def amplitudes(self, configuration, grid):
        return super().amplitudes(configuration, grid)[:1]


class DarkSpot(Beam):
    def illumination(self, positions, box):
        return np.full((2, len(positions)), np.nan)


BROKEN = [
    ("scatterer.finite-and-shaped", NotANumber, "NaN or infinite"),
    ("scatterer.finite-and-shaped", Real, "float64, not complex"),
    ("scatterer.finite-and-shaped", Cropped, r"shape \(32, 32\)"),
    ("scatterer.finite-and-shaped", NotSquared, "not the amplitude's absolute square"),
    ("scatterer.deterministic", Noisy, "gave another amplitude"),
    ("scatterer.input-unchanged", Recentres, "particles have changed"),
    ("scatterer.translation-leaves-the-intensity", OnALattice, "the intensity changed"),
    ("scatterer.minus-k-is-k", Curved, r"I\(-k\) differs"),
    ("scatterer.finite-and-shaped", ModesInterfere, "summed over the modes"),
    ("scatterer.finite-and-shaped", LastMode, "not that of the first mode"),
    ("scatterer.works-on-a-strange-shape", UnlikeItsBeam, "not the direct sum"),
    ("scatterer.shapes-mix", ForgetsAMode, r"shape \(1, 33, 33\), not \(2"),
    ("scatterer.works-on-a-quadrant", DarkSpot, "illumination is NaN"),
    ("scatterer.works-on-a-strange-shape", ThinksAllIsRound, "not the direct sum"),
    ("scatterer.works-on-a-quadrant", ThinksAllIsCentred, "not the direct sum"),
    ("scatterer.contrast-counts", Conjugates, "not the direct sum"),
    ("scatterer.shapes-mix", FirstOnly, "not the direct sum"),
    ("scatterer.many-at-once-is-one-by-one", Shuffled, "differ from single intensities"),
    ("scatterer.many-at-once-is-one-by-one", Double, "not float32"),
]
CHECKS = {check.id: check for check in checks_for("scatterer")}


@pytest.mark.parametrize("check", checks_for("scatterer"), ids=str)
def test_a_good_scatterer_passes(check):
    check.run(Born)


@pytest.mark.parametrize("check", checks_for("scatterer"), ids=str)
def test_a_beam_of_two_modes_passes_and_need_not_follow_the_bodies(check):
    if check.id == "scatterer.translation-leaves-the-intensity":
        with pytest.raises(CheckSkipped, match="does not move"):
            check.run(Beam)
    else:
        check.run(Beam)


@pytest.mark.parametrize(("name", "broken", "message"), BROKEN)
def test_a_broken_scatterer_fails_the_check_of_its_fault(name, broken, message):
    with pytest.raises(CheckFailed, match=message):
        CHECKS[name].run(broken)


def test_every_check_of_scatterers_has_been_seen_to_fail():
    assert {name for name, *_ in BROKEN} == {i for i in CHECKS if not i.startswith("component.")}


def test_the_optional_power_is_skipped_where_it_is_missing():
    @attrs.frozen(kw_only=True)
    class Plain:
        def amplitude(self, configuration, grid):
            return Born().amplitude(configuration, grid)

    with pytest.raises(CheckSkipped, match="optional"):
        CHECKS["scatterer.many-at-once-is-one-by-one"].run(Plain)


def test_the_kit_s_own_form_factor_is_the_transform_of_its_density():
    """The blobs that scatterers are tried on pass the particle checks of the kit."""
    from speckle_core.testing.specimens import blobs

    for check in checks_for("particles"):
        check.run(lambda: blobs(3, 7, contrast=[1, 2j, -1]))
