"""What explainers say about a model: maps and their analysis, in a folder."""
