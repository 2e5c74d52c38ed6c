"""What reading a file takes: a warm process forks a child for each, and the system tells its peak.

python -m tests.hostile.measure FILE…    prints one JSON object a file, the honest one first
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from pathlib import Path

from speckle_core.data import trial

SECONDS = 30


def read(path: Path) -> int:
    """Return 0 for frames, 3 for one clear error, 4 for anything else."""
    from speckle_core.data.frames import open_frames
    from speckle_core.errors import SpeckleError

    try:
        frames = open_frames(path)
        for index in range(min(3, len(frames))):
            frames[index]
    except SpeckleError as error:
        return 3 if len(str(error)) < 3000 else 4
    except BaseException as error:
        sys.stderr.write(f"{path.name}: {type(error).__name__}: {str(error)[:300]}\n")
        return 4
    return 0


def measured(path: Path) -> dict[str, object]:
    begun = time.monotonic()
    child = os.fork()
    if child == 0:
        signal.alarm(SECONDS)
        os._exit(read(path))
    _, status, usage = os.wait4(child, 0)
    return {
        "name": path.name,
        "status": os.waitstatus_to_exitcode(status),
        "seconds": round(time.monotonic() - begun, 2),
        "peak": usage.ru_maxrss * 1024,
    }


def main() -> None:
    paths = [Path(name) for name in sys.argv[1:]]
    # All modules that reading needs, in this process; and not more memory than a machine has.
    trial._CPU = 1
    resource.setrlimit(resource.RLIMIT_AS, (16 * 2**30,) * 2)
    for path in paths[:4]:
        read(path)
    for path in paths:
        print(json.dumps(measured(path)), flush=True)


if __name__ == "__main__":
    main()
