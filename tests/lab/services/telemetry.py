"""Numbers that a service reports about itself, one JSON line each time something happened.

A line carries CloudWatch metric names and the values of that one event (the idea of the embedded metric format);
nothing is aggregated here. `lab.recorder.bins` does that.
"""

import json
import threading
import time
from pathlib import Path


class Telemetry:
    def __init__(self, path: Path, resource: str):
        self._resource = resource
        self._lock = threading.Lock()
        # Line buffered: the recorder evaluates the alarm from these files while the service runs.
        self._file = path.open("a", buffering=1)

    def put(self, **values: float) -> None:
        """Records the values as having happened now."""
        record = {"t": round(time.time(), 4), "resource": self._resource, "values": values}
        line = json.dumps(record, separators=(",", ":")) + "\n"
        with self._lock:
            self._file.write(line)
