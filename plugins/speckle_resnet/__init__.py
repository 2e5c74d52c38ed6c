"""The paper's network as a table, the same for all frameworks: a library for plugins."""
