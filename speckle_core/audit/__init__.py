"""Data leakage and shortcuts: whether n can be read off a data set without its speckles."""
