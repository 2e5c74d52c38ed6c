"""Preprocessors: beamstop, scaling, logarithm."""
