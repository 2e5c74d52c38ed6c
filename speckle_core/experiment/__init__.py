"""Experiments: read and check a TOML file, and build live objects from it."""
