"""Maps of explainers for a model, and their analysis, in a folder."""
