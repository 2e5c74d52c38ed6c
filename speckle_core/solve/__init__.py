"""Solve patterns for the bodies behind them; write pictures, tables and HDF5 files."""
