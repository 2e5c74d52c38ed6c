import numpy as np
import pytest
import torch

from speckle_specklenet.amplitudes import Disks, Points, misfit
from speckle_specklenet.evidence import Evidence, Parts
from speckle_specklenet.leastsquares import Model, refine


def points(count, seed=0):
    rng = np.random.default_rng(seed)
    ky, kx = rng.uniform(0, 20, (1, count)), rng.uniform(-20, 20, (1, count))
    made = (ky, kx, np.hypot(ky, kx), np.ones_like(ky), np.ones_like(ky))
    return Points(*(torch.tensor(v, dtype=torch.float32) for v in made))


def test_the_amplitude_is_that_of_the_scatterer(pipeline):
    configuration = pipeline.draw(3, 0, 2)
    body, step = configuration.particles[0], pipeline.grid.step
    at = points(200)
    places = torch.tensor(body.centers[None, :, ::-1].copy() * step, dtype=torch.float32)
    radii = torch.tensor(body.bounding_radii[None] * step, dtype=torch.float32)
    found = Disks().waves(places, radii, torch.ones(1, 3), at).modulus[0].numpy()
    kx, ky = at.kx[0].numpy() * step, at.ky[0].numpy() * step
    phases = np.exp(-1j * (np.outer(body.centers[:, 0], kx) + np.outer(body.centers[:, 1], ky)))
    expected = np.abs((body.form_factors(kx, ky) * phases).sum(0)) * step**2 / np.pi
    np.testing.assert_allclose(found, expected, atol=2e-3 * expected.max())


def test_least_squares_find_the_disks_again():
    true = Model(
        torch.tensor([[[0.0, 0.0], [0.9, -0.4], [-0.5, 0.6]]]),
        torch.tensor([[0.09, 0.07, 0.05]]),
        torch.ones(1, 3),
    )
    at, disks = points(300), Disks()
    modulus = disks.waves(true.places, true.radii, true.present, at).modulus
    measured = Points(at.ky, at.kx, at.k, 7 * modulus, at.weight)
    start = Model(true.places + 0.015, true.radii * 1.1, true.present)
    found, scale, left = refine(disks, start, measured, torch.tensor([0.07]), 12)
    assert left.item() < 1e-8
    ratio = found.radii / true.radii
    torch.testing.assert_close(ratio, torch.ones_like(ratio), rtol=1e-3, atol=0)
    shift = found.places - true.places
    torch.testing.assert_close(shift, shift[:, :1].expand_as(shift), rtol=0, atol=1e-3)
    assert scale.item() == pytest.approx(7, rel=1e-2)


def test_the_misfit_is_what_the_best_scale_leaves():
    at = points(50)
    modulus = torch.rand(1, 50, generator=torch.Generator().manual_seed(1))
    scale, left = misfit(modulus, at)
    m = modulus[0].numpy()
    expected = m.sum() / (m @ m)
    assert scale.item() == pytest.approx(expected, rel=1e-5)
    assert left.item() == pytest.approx(((expected * m - 1) ** 2).mean(), rel=1e-5)


def test_most_patterns_are_explained_by_their_disks(pipeline, patterns):
    evidence = Evidence(129, 8, Parts())
    values, labels = patterns.batch(np.arange(0, len(patterns), 3))
    found = evidence(torch.from_numpy(np.asarray(values, dtype=np.float32)))
    counts = found[:, -18:-9].argmax(1).numpy()
    assert np.mean(counts == labels) >= 0.8


def test_the_evidence_of_a_pattern_does_not_depend_on_the_batch(patterns):
    evidence = Evidence(129, 8, Parts())
    values = torch.from_numpy(np.asarray(patterns.batch(np.arange(0, 40, 16))[0], np.float32))
    torch.testing.assert_close(evidence(values)[1], evidence(values[1:2])[0], rtol=0, atol=0)


@pytest.mark.parametrize(
    ("parts", "width"),
    [(Parts(peaks=False, structure=False), 65), (Parts(structure=False), 65 + 240)],
)
def test_less_evidence_can_be_used(patterns, parts, width):
    evidence = Evidence(129, 8, parts)
    values = torch.from_numpy(np.asarray(patterns.batch(np.arange(2))[0], np.float32))
    assert evidence(values).shape == (2, width) == (2, evidence.width)
