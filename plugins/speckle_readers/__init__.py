"""Reads the frames in files of detectors and programs: HDF5, TIFF, MATLAB, NumPy, and fabio's."""
