"""The framework-independent part of the paper's network: a library for plugins."""
