import numpy as np
import pytest

from speckle_core import Configuration
from speckle_core.analysis.quantities import Bodies, value_of, values_of
from speckle_core.errors import DataError
from speckle_core.testing.specimens import Blobs
from speckle_disks.disks import Disks

CENTERS = np.array([[100.0, 100.0], [500.0, 500.0], [900.0, 100.0]])
DISKS = Configuration((Disks(CENTERS, np.array([30.0, 40.0, 80.0])),), 1000.0)


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        ("count", 3),
        ("mean-radius", 50),
        ("radius-spread", np.std([30, 40, 80])),
        ("coverage", np.pi * (30**2 + 40**2 + 80**2) / 1000**2),
    ],
)
def test_a_quantity_is_that_of_its_definition(quantity, expected):
    assert value_of(quantity, DISKS) == pytest.approx(expected)


def test_bodies_of_several_shapes_and_patterns_are_told_apart():
    radii, owner = np.array([1.0, 2.0, 5.0]), np.array([0, 0, 2])
    squares = Bodies(np.array([2]), np.array([3.0]), np.array([16.0]), "Squares")
    shapes = [Bodies(owner, radii, None, "Disks"), squares]
    boxes = np.array([10.0, 10.0, 20.0])
    covered = [np.pi * 5 / 100, 0, (np.pi * 25 + 16) / 400]
    np.testing.assert_allclose(values_of("coverage", shapes, boxes), covered)
    np.testing.assert_allclose(values_of("mean-radius", shapes, boxes), [1.5, 0, 4])
    np.testing.assert_allclose(values_of("count", shapes, boxes), [2, 0, 2])


def test_a_property_is_not_known_since_a_data_set_does_not_store_it():
    class Round(Blobs):
        radii = property(lambda self: self.long)

    one = np.ones(1)
    blob = Round(centers=np.zeros((1, 2)), long=one, short=one, angles=one, contrast=one)
    with pytest.raises(DataError, match="Round is not known"):
        value_of("mean-radius", Configuration((blob,), 10.0))


@pytest.mark.parametrize("quantity", ["mean-radius", "radius-spread", "coverage"])
def test_what_is_not_known_of_a_shape_is_an_error_that_names_it(quantity):
    one = np.ones(1)
    blob = Blobs(centers=np.zeros((1, 2)), long=one, short=one, angles=one, contrast=one)
    with pytest.raises(DataError, match=r"Blobs.*'radii'"):
        value_of(quantity, Configuration((blob,), 10.0))
    assert value_of("count", Configuration((blob,), 10.0)) == 1
