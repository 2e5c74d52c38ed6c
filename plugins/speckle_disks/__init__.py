"""Hard disks in a square box, as in the paper, and spheres: shapes and samplers."""
