"""What all network classifiers share, whatever their framework: a library for plugins."""
