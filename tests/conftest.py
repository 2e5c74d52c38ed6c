"""What every test may rely on: few threads, no display, and plugins found afresh."""

from __future__ import annotations

import os

# Before NumPy is first imported: tests run two at a time on machines of two cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
