"""What is done to patterns before a classifier sees them: beamstop, scale, logarithm."""
