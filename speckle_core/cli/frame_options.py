"""What every command that reads pattern files can be told of them: one group of options.

A command takes ``frames: FrameOptions``; `with_frame_options` puts the options in its place, so
that one word means one thing everywhere.
"""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from speckle_core.data.frame_options import FrameOptions

_PANEL = "What the frames are"


def _option(name: str, metavar: str, help_text: str) -> Any:
    return typer.Option(name, metavar=metavar, help=help_text, rich_help_panel=_PANEL)


_Options: dict[str, Any] = {
    "dataset": Annotated[
        str | None,
        _option("--dataset", "NAME", "Which array of a file. Default: the marked or only one."),
    ],
    "frames_axis": Annotated[
        int | None,
        _option(
            "--frames-axis",
            "N",
            "Axis that counts the frames, such as -1. Default: 0; in MATLAB files the last.",
        ),
    ],
    "mask": Annotated[
        str | None,
        _option(
            "--mask", "FILE", "A file, or FILE::DATASET, that is not 0 where pixels do not count."
        ),
    ],
    "invalid": Annotated[
        list[str] | None,
        _option(
            "--invalid",
            "RULE",
            "Values that are no counts: negative, max, nan or a number; can be repeated.",
        ),
    ],
    "center": Annotated[
        str | None,
        _option(
            "--center",
            "Y,X",
            "Where k = 0 is, in pixels from the middle of the first one; or auto.",
        ),
    ],
    "step": Annotated[
        float | None,
        _option("--step", "K", "Step of k from pixel to pixel, in the model's 1/length."),
    ],
    "wavelength": Annotated[float | None, _option("--wavelength", "M", "Wavelength in metres.")],
    "distance": Annotated[
        float | None, _option("--distance", "M", "From the sample to the detector, in metres.")
    ],
    "pixel_size": Annotated[
        float | None, _option("--pixel-size", "M", "Side of a pixel, in metres.")
    ],
    "unit": Annotated[
        float | None, _option("--unit", "M", "The model's unit of length, in metres: 1e-9 for nm.")
    ],
    "poni": Annotated[
        Path | None, _option("--poni", "FILE", "Geometry from a PONI file of pyFAI.")
    ],
    "crop": Annotated[
        str | None,
        _option("--crop", "Y0:Y1,X0:X1", "Keep only these rows and columns, counted from 0."),
    ],
    "rebin": Annotated[int, _option("--rebin", "N", "Sum blocks of N x N pixels.")],
}
_DEFAULTS = {"rebin": 1}


def with_frame_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return `command` with the group of options in place of its parameter `frames`."""
    signature = inspect.signature(command)
    hints = typing.get_type_hints(command, include_extras=True, localns={"FrameOptions": object})
    parameters = []
    for name, parameter in signature.parameters.items():
        if name != "frames":
            parameters.append(parameter.replace(annotation=hints[name]))
            continue
        parameters += [
            inspect.Parameter(
                key,
                inspect.Parameter.KEYWORD_ONLY,
                default=_DEFAULTS.get(key),
                annotation=kind,
            )
            for key, kind in _Options.items()
        ]
    order = sorted(parameters, key=lambda p: p.kind)

    @functools.wraps(command)
    def run(**given: Any) -> None:
        command(frames=_frames(**{key: given.pop(key) for key in _Options}), **given)

    run.__signature__ = signature.replace(parameters=order)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in order}
    return run


def _frames(
    center: str | None, crop: str | None, invalid: list[str] | None, **given: Any
) -> FrameOptions:
    """Return what the options say.

    Raises
    ------
    UsageError
        For an option that cannot be.
    """
    from speckle_core.cli.failure import usage
    from speckle_core.data.frame_options import FrameOptions

    with usage():
        return FrameOptions(
            center="auto" if center == "auto" else _numbers(center, "--center", float, 2),
            crop=_numbers(None if crop is None else crop.replace(":", ","), "--crop", int, 4),
            invalid=tuple(invalid or ()),
            **given,
        )


def _numbers(text: str | None, where: str, kind: type, count: int) -> Any:
    from speckle_core.errors import OptionError

    if text is None:
        return None
    try:
        found = tuple(kind(part) for part in text.split(","))
        if len(found) != count:
            raise ValueError
    except ValueError:
        form = "Y,X or auto" if count == 2 else "Y0:Y1,X0:X1"
        raise OptionError(f"{text!r} is not {form}", where=where) from None
    return found
