"""The stages of a refinement: how far in k, on how many pixels, and how many bodies are added."""

from __future__ import annotations

import attrs


@attrs.frozen
class Stage:
    """One stage: largest k in units of the half distance, pixels, steps, and bodies to add.

    Parameters
    ----------
    band : float
        Largest k in units of the half distance.
    pixels, steps : int
        Number of pixels, and most steps.
    least : float
        Bodies lower than this are not missing.
    added : int
        Most bodies that are added before the next stage.
    """

    band: float
    pixels: int
    steps: int
    least: float
    added: int


#: Of unlike disks, and of those with a common dark ring, whose radius is known from the start.
UNLIKE_STAGES = (
    Stage(1.5, 350, 14, 0.12, 4),
    Stage(1.8, 450, 8, 0.06, 4),
    Stage(2.2, 600, 8, 0.03, 3),
    Stage(2.4, 700, 8, 0.01, 3),
    Stage(2.4, 700, 8, 0.004, 3),
    Stage(2.4, 800, 8, 0.002, 2),
)
ALIKE_STAGES = (
    Stage(2.2, 500, 14, 0.12, 4),
    Stage(2.4, 600, 8, 0.06, 4),
    Stage(2.8, 700, 8, 0.03, 3),
    Stage(3.0, 700, 8, 0.01, 3),
    Stage(3.0, 800, 8, 0.004, 3),
    Stage(3.0, 800, 8, 0.002, 2),
)
#: The same of counted patterns.
COUNTED_UNLIKE = (
    Stage(1.5, 500, 10, 0.12, 4),
    Stage(1.8, 1000, 6, 0.12, 4),
    Stage(2.2, 2000, 6, 0.12, 3),
    Stage(2.6, 3000, 6, 0.12, 0),
)
COUNTED_ALIKE = (
    Stage(2.2, 700, 10, 0.12, 4),
    Stage(2.4, 1000, 6, 0.12, 4),
    Stage(2.8, 2000, 6, 0.12, 3),
    Stage(3.2, 3000, 6, 0.12, 0),
)
