"""How the documentation is built: offline, and with warnings as errors.

Pages are Markdown. What the code knows better — commands, components, presets, checks — is put into
them while they are read, from `generated`, so it is never stale. The programs of the gallery are
run with `-t gallery`, as `make docs` does; without it their pages have no pictures.
"""

from __future__ import annotations

import sys
from pathlib import Path

import speckle_core

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "speckle-core"
author = "the speckle-core authors"
copyright = "2026, the speckle-core authors"  # noqa: A001 - Sphinx reads this name
release = version = speckle_core.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_gallery.gen_gallery",
    "generated",
]
exclude_patterns = ["_build", "results", "gallery"]
default_role = "py:obj"

html_theme = "furo"
html_title = f"speckle-core {release}"
html_static_path = ["_static"]
html_css_files = ["speckle.css"]
html_show_sourcelink = False
html_copy_source = False

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_type_aliases = {
    name: name
    for name in (
        "FloatArray",
        "ComplexArray",
        "IntArray",
        "ArrayLike",
        "Role",
        "OnEpoch",
    )
}

sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "auto_gallery",
    "filename_pattern": r"/\w+\.py",
    "plot_gallery": tags.has("gallery"),  # noqa: F821 - Sphinx puts it here
    "abort_on_example_error": True,
    "image_scrapers": ("pictures.light_and_dark",),
    "copyfile_regex": r"",
    "show_memory": False,
    "min_reported_time": 3600,
    "write_computation_times": False,  # that page loads scripts from elsewhere
    "download_all_examples": False,
    "show_signature": False,
    "within_subsection_order": "FileNameSortKey",
}
