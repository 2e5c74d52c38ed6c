"""Write each notebook from the page of the tutorial that it is: words to words, code to code."""

from __future__ import annotations

import json
import re
from pathlib import Path

HERE = Path(__file__).parent
PAGES = HERE.parents[1] / "docs" / "tutorial"
NAMES = ("zero-to-count", "network-against-physics")


def notebook(page: str) -> str:
    """Return the notebook of a page's text, as JSON."""
    cells = []
    for number, part in enumerate(re.split(r"^```python\n(.*?)^```$", page, flags=re.M | re.S)):
        text = part.strip()
        if not text:
            continue
        cell: dict[str, object] = {"id": f"cell-{number}", "metadata": {}, "source": text}
        if number % 2:
            cells.append({"cell_type": "code", "execution_count": None, "outputs": [], **cell})
        else:
            words = re.sub(r"^In a notebook: .*$", "", text, flags=re.M).strip()
            cells.append({"cell_type": "markdown", **cell, "source": words})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    whole = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name in NAMES:
        text = (PAGES / f"{name}.md").read_text("utf-8")
        (HERE / f"{name}.ipynb").write_text(notebook(text), "utf-8")
