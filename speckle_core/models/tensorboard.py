"""A training as TensorBoard shows it: one event file for each start of a training.

The records are TensorBoard's own, written by its own package, which needs neither TensorFlow nor
PyTorch; so no framework is loaded beside the one that trains. Unlike all other files an event file
grows in place, since TensorBoard reads it meanwhile; a cut last record is passed over by it.
"""

from __future__ import annotations

import importlib.util
import math
import os
import time
from pathlib import Path
from typing import Any

import attrs

from speckle_core.contracts.roles import Epoch
from speckle_core.errors import MissingDependencyError, OutputError
from speckle_core.files import make_folder

#: In a model folder.
FOLDER = "tensorboard"
#: What TensorBoard calls each field of an epoch; a slash groups charts.
_TAGS = {
    "loss": "loss/training",
    "valid_loss": "loss/validation",
    "accuracy": "accuracy/training",
    "valid_accuracy": "accuracy/validation",
    "learning_rate": "learning rate",
    "seconds": "seconds per epoch",
}


def require_tensorboard() -> None:
    """Raise `MissingDependencyError`, with the line to install it, without TensorBoard."""
    if importlib.util.find_spec("tensorboard") is None:
        raise MissingDependencyError(
            "event files need tensorboard, which is not installed",
            where="--tensorboard",
            hint="Run: pip install 'speckle-core[tensorboard]'",
        )


@attrs.define(eq=False)
class EventFile:
    """Writes epochs into `folder`; the file begins with the first of them.

    When a training goes on after a kill, the new file tells TensorBoard to forget what earlier ones
    say of the epochs that it repeats.
    """

    folder: Path
    _file: Any = attrs.field(init=False, default=None)

    def write(self, epoch: Epoch) -> None:
        """Append one epoch, its number as the step; NaN, as without validation, is left out.

        Raises
        ------
        OutputError
            When the file cannot be written.
        """
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog
        from tensorboard.compat.proto.summary_pb2 import Summary

        values = [
            Summary.Value(tag=tag, simple_value=getattr(epoch, name))
            for name, tag in _TAGS.items()
            if math.isfinite(getattr(epoch, name))
        ]
        events = [Event(step=epoch.number, summary=Summary(value=values))]
        try:
            if self._file is None:
                self._begin()
                log = SessionLog(status=SessionLog.START)
                events = [
                    Event(file_version="brain.Event:2"),
                    Event(step=epoch.number, session_log=log),
                    *events,
                ]
            self._append(events)
        except OSError as error:
            raise OutputError(f"cannot be written: {error}", where=str(self.folder)) from error

    def _begin(self) -> None:
        name = f"events.out.tfevents.{time.time_ns()}.{os.getpid()}"
        self._file = (make_folder(self.folder) / name).open("xb")

    def _append(self, events: list[Any]) -> None:
        from tensorboard.summary.writer.record_writer import RecordWriter

        records = RecordWriter(self._file)
        for event in events:
            event.wall_time = time.time()
            records.write(event.SerializeToString())
        self._file.flush()

    def close(self) -> None:
        """Close the file, if one was begun."""
        if self._file is not None:
            self._file.close()
