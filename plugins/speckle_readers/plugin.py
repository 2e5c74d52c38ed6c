"""The plugin hook; it must not import anything heavy."""

from __future__ import annotations

from collections.abc import Iterable

from speckle_core import Component, hookimpl


@hookimpl
def speckle_readers() -> Iterable[Component]:
    """Return the readers."""
    return [
        Component(
            "hdf5",
            "speckle_readers.hdf5:Hdf5",
            "HDF5: NeXus, CXI, EIGER masters, and any other with frames in it.",
            reference="manual.nexusformat.org; F. R. N. C. Maia, Nat. Methods 9, 854 (2012)",
        ),
        Component(
            "numpy",
            "speckle_readers.numpy_files:Numpy",
            "NumPy: .npy, .npz, and a .npy that gzip packed.",
            reference="numpy.lib.format",
        ),
        Component(
            "matlab",
            "speckle_readers.matlab:Matlab",
            "MATLAB up to v7.3: variables, cells and fields of structs.",
        ),
        Component("tiff", "speckle_readers.tiff:Tiff", "TIFF: pages and ImageJ stacks."),
        Component(
            "fabio",
            "speckle_readers.fabio_files:Fabio",
            "EDF, CBF, MarCCD, SPE and other detector formats, through fabio.",
            requires=("fabio",),
            extra="fabio",
            reference="E. B. Knudsen et al., J. Appl. Cryst. 46, 537 (2013)",
        ),
    ]
