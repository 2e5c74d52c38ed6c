"""Explainers based on optional capabilities of a classifier, so they work with every backend."""
