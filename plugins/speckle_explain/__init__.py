"""Explainers over the optional powers of a classifier, so that one code serves every backend."""
