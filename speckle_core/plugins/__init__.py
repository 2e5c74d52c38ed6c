"""Plugins: describe, find and create components, and scaffold new plugins."""
