"""Hard disks in a square box: the geometry of the paper, and the two ways to draw it."""
