"""Physics baselines: five rules with few or no free parameters.

They are ordinary classifiers and see what a network sees: prepared patterns. The accuracy of a
network means little without a comparison with theirs.
"""
