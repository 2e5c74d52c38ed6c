"""The paper's network as far as no framework is needed: a library for plugins, and none itself."""
