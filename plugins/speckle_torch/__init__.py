"""The paper's network in PyTorch; `plugin` describes it, and torch is imported on first use."""
