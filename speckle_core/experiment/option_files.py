"""Files that an option names: an experiment records their SHA-256 beside the name.

A component's class lists such options in ``FILE_OPTIONS``; each has a second one with the suffix
``_sha256``, which the component checks if it is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from speckle_core.errors import OptionError
from speckle_core.notes import digest


def hashes_of_files(factory: Any, options: Mapping[str, Any], where: str) -> dict[str, str]:
    """Return the options that record the SHA-256 of files, where they are not given yet.

    Raises
    ------
    OptionError
        For a file that does not exist or cannot be read.
    """
    found = {}
    for name in getattr(factory, "FILE_OPTIONS", ()):
        value, key = options.get(name), f"{name}_sha256"
        if value is None or options.get(key) is not None:
            continue
        # Of an HDF5 file, a data set may be named behind it.
        path = Path(str(value).partition("::")[0])
        try:
            found[key] = digest(path)
        except OSError as error:
            raise OptionError(
                f"{path} cannot be read: {error.strerror}", where=f"{where}.{name}"
            ) from None
    return found
