"""Numerical analysis of arrays: moments, profiles, evaluations, attributions."""
