"""`torch-specklenet`: a compact network that reads n from the structure behind a pattern."""
