"""Plugins: how components are described, found, made, and how a new plugin is scaffolded."""
