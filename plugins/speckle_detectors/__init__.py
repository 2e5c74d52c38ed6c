"""Detectors: how a simulated intensity is recorded."""
