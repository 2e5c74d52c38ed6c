"""`torch-analytic`: the sum of `analytic` for a batch of configurations at once, on a CPU or GPU.

For training on patterns that are simulated as they are needed. Products are in single precision, so
patterns differ from those of `analytic` by about 1e-6, and by some bits from device to device. On a
CPU `analytic` is faster.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import attrs
import numpy as np
import torch
from numpy.typing import NDArray

from speckle_core import (
    Configuration,
    KGrid,
    OptionError,
    Particles,
    Scatterer,
    SupportsChords,
)
from speckle_torch.device import choose_device, limited_memory

# Columns times k of the patterns summed together, to bound memory (16 bytes each, a few times).
_TOGETHER = 1 << 22


@attrs.frozen(kw_only=True)
class TorchAnalytic(Scatterer):
    """The sum over form factors, phases and contrasts, for many configurations at once.

    Disks are summed chord by chord (`SupportsChords`); other shapes by their form factors, which
    are computed on the CPU.

    Parameters
    ----------
    device : str
        ``auto`` (a CUDA GPU if there is one), ``cpu``, ``cuda`` or ``cuda:1``.
    """

    device: str = "auto"

    def amplitude(self, configuration: Configuration, grid: KGrid) -> NDArray[np.complex128]:
        """Return A(k), complex (ny, nx) [area].

        Raises
        ------
        OptionError
            When this machine has no such device.
        """
        with limited_memory():
            (found,) = self._amplitudes([configuration], grid, self._device())
        return np.asarray(found.cpu().numpy(), dtype=np.complex128)

    def intensities(
        self, configurations: Sequence[Configuration], grid: KGrid
    ) -> NDArray[np.float32]:
        """Return |A|² of every configuration, float32 (B, ny, nx) [area²]."""
        out = np.empty((len(configurations), *grid.shape), dtype=np.float32)
        device, start = self._device(), 0
        with limited_memory():
            while start < len(configurations):
                some = configurations[start : start + self._together(configurations[start], grid)]
                found = self._amplitudes(some, grid, device)
                squares = found.real.square() + found.imag.square()
                out[start : start + len(some)] = squares.cpu().numpy()
                start += len(some)
        return out

    def _device(self) -> torch.device:
        device = choose_device(self.device)
        if device.type == "mps":
            raise OptionError("an Apple GPU has no double precision", where="device")
        return device

    @staticmethod
    def _together(configuration: Configuration, grid: KGrid) -> int:
        columns = 8 * sum(map(len, configuration.particles))
        return max(1, _TOGETHER // (2 * grid.size * max(1, columns)))

    def _amplitudes(
        self, configurations: Sequence[Configuration], grid: KGrid, device: torch.device
    ) -> torch.Tensor:
        """Return A of every configuration, complex64 (B, ny, nx)."""
        real = not any(
            np.iscomplexobj(p.contrast) and np.any(p.contrast.imag)
            for configuration in configurations
            for p in configuration.particles
        )
        # A real contrast gives A(-k) = A(k)*, so half of the rows suffice.
        first = grid.origin if real else 0
        k = torch.tensor(grid.axis, device=device)
        columns = [_columns(configuration, grid) for configuration in configurations]
        table = torch.zeros(
            len(columns), max(map(len, columns)), 5, dtype=torch.complex128, device=device
        )
        for row, own in zip(table, columns, strict=True):
            row[: len(own)] = torch.tensor(own, device=device)
        x, y, half, offset = (table[..., i].real[..., None] for i in range(4))
        weight = table[..., 4, None]
        # sin(kx a) / kx, which is a at kx = 0.
        along_x = half * torch.sinc(k * half / math.pi) * weight * torch.exp(-1j * k * x)
        along_y = torch.cos(k[first:] * offset) * torch.exp(-1j * k[first:] * y)
        upper = along_y.to(torch.complex64).transpose(1, 2) @ along_x.to(torch.complex64)
        for total, configuration in zip(upper, configurations, strict=True):
            for particles in configuration.particles:
                if not isinstance(particles, SupportsChords):
                    total += _summed(particles, grid, first, device)
        if first == 0:
            return upper
        return torch.cat([upper[:, 1:].flip(1, 2).conj(), upper], dim=1)


def _columns(configuration: Configuration, grid: KGrid) -> NDArray[np.complex128]:
    """Return x, y, half length, offset, and weight times contrast of every chord, (p, 5)."""
    found = [np.zeros((0, 5), dtype=np.complex128)]
    for particles in configuration.particles:
        if isinstance(particles, SupportsChords):
            bodies = np.arange(len(particles))
            owner, half, offset, weight = particles.chords(bodies, math.sqrt(2) * grid.k_max)
            centers, contrast = particles.centers[owner].T, particles.contrast[owner]
            found.append(np.stack([*centers, half, offset, weight * contrast], axis=1))
    return np.concatenate(found)


def _summed(particles: Particles, grid: KGrid, first: int, device: torch.device) -> torch.Tensor:
    """Return the amplitude of bodies of any shape on the rows from `first` on, complex64."""
    total = torch.zeros(grid.size - first, grid.size, dtype=torch.complex64, device=device)
    for rows in _rows(len(particles), grid, first):
        kx, ky = np.broadcast_arrays(grid.axis, grid.axis[rows, None])
        form = torch.tensor(particles.form_factors(kx, ky), device=device)
        x, y = torch.tensor(particles.centers.T.copy(), device=device)
        k = torch.tensor(grid.axis, device=device)
        along_y = (
            torch.exp(-1j * k[rows] * y[:, None])
            * torch.tensor(np.asarray(particles.contrast), device=device)[:, None]
        )
        along_x = torch.exp(-1j * k * x[:, None])
        found = torch.einsum("jyx,jy,jx->yx", form.to(along_x.dtype), along_y, along_x)
        total[rows.start - first : rows.stop - first] = found.to(torch.complex64)
    return total


def _rows(bodies: int, grid: KGrid, first: int) -> Iterator[slice]:
    """Iterate over blocks of rows, so that memory does not grow with the number of bodies."""
    rows = max(1, _TOGETHER // max(1, 4 * bodies * grid.size))
    for top in range(first, grid.size, rows):
        yield slice(top, min(top + rows, grid.size))
