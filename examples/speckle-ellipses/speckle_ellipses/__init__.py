"""Ellipses for speckle-core, as a stranger would add them: a package of its own, known by name."""
