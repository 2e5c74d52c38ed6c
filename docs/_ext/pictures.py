"""Pictures of the gallery: one for a light page and one for a dark page, as Furo shows them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image

from speckle_core.figures import encode
from speckle_core.figures.webp import for_pages


def light_and_dark(block: Any, variables: Any, conf: Any) -> str:
    """Save the open figures and return them as reStructuredText; for sphinx-gallery."""
    import matplotlib.pyplot as plt

    found = []
    for number in plt.get_fignums():
        light = Path(next(variables["image_path_iterator"]))
        shown, dark = for_pages(encode(plt.figure(number)))
        light.parent.mkdir(parents=True, exist_ok=True)
        found.append(_directive(light, shown, "only-light"))
        if dark is not None:
            night = light.with_stem(f"{light.stem}_dark")
            found.append(_directive(night, dark, "only-dark"))
    plt.close("all")
    return "\n\n".join(found)


def _directive(path: Path, picture: bytes, shown: str) -> str:
    with Image.open(io.BytesIO(picture)) as opened:
        opened.convert("RGB").save(path)
    place = path.as_posix().partition("auto_gallery/")[2]
    return f".. image:: /auto_gallery/{place}\n   :alt: what the program draws\n   :class: {shown}"
