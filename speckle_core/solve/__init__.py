"""Patterns solved: the bodies behind them, in a folder of pictures, tables and HDF5 files."""
