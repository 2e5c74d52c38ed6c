"""Data leakage and shortcuts: whether n can be predicted without using the speckles."""
