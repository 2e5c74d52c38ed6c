from __future__ import annotations

import sys
from pathlib import Path

# The fresh environment that the tutorial is followed in.
sys.path.insert(0, str(Path(__file__).parents[1] / "strangers"))
