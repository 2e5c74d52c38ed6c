"""The paper's network in PyTorch, which is imported on first use."""
