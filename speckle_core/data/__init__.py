"""Data sets on disk: generate, read and verify them; and read pattern files of other programs."""
