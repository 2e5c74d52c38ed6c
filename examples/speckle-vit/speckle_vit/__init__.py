"""A vision transformer for speckle-core: `plugin` registers it."""
