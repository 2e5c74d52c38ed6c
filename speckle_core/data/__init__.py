"""Data sets on disk: simulate, write, read and verify them; and pattern files of other programs."""
