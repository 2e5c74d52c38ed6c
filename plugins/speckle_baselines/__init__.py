"""What a physicist would try before a network: five rules with few or no free parameters.

They are ordinary classifiers and see what a network sees, prepared patterns and nothing else. A
network's accuracy means little until it stands beside theirs.
"""
