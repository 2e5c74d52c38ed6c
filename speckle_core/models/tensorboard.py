"""TensorBoard event files, one for each start of a training.

They are written with the tensorboard package, which needs neither TensorFlow nor PyTorch, so no
second framework is loaded. Unlike all other files, an event file grows in place because
TensorBoard reads it meanwhile; TensorBoard skips a truncated last record.
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

#: Name of the folder within a model folder.
FOLDER = "tensorboard"
#: TensorBoard tag of each field of an epoch; a slash groups charts.
_TAGS = {
    "loss": "loss/training",
    "valid_loss": "loss/validation",
    "accuracy": "accuracy/training",
    "valid_accuracy": "accuracy/validation",
    "learning_rate": "learning rate",
    "seconds": "seconds per epoch",
}


def require_tensorboard() -> None:
    """Raise `MissingDependencyError` if TensorBoard is not installed."""
    if importlib.util.find_spec("tensorboard") is None:
        raise MissingDependencyError(
            "event files need tensorboard, which is not installed",
            where="--tensorboard",
            hint="Run: pip install 'speckle-core[tensorboard]'",
        )


@attrs.define(eq=False)
class EventFile:
    """Writes epochs to an event file in `folder`, created with the first of them.

    When an interrupted training resumes, the new file tells TensorBoard to discard what earlier
    files say about the epochs that are repeated.
    """

    folder: Path
    _file: Any = attrs.field(init=False, default=None)

    def write(self, epoch: Epoch) -> None:
        """Append one epoch with its number as the step; NaN values are left out.

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
                self._open()
                log = SessionLog(status=SessionLog.START)
                events = [
                    Event(file_version="brain.Event:2"),
                    Event(step=epoch.number, session_log=log),
                    *events,
                ]
            self._append(events)
        except OSError as error:
            raise OutputError(f"cannot be written: {error}", where=str(self.folder)) from error

    def _open(self) -> None:
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
        """Close the file, if it was opened."""
        if self._file is not None:
            self._file.close()
