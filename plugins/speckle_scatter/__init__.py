"""Kinematic far-field scattering of any configuration, as an exact sum and from a raster."""
