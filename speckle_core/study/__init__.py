"""Studies: one experiment at many values of some of its options, read by several classifiers."""
