"""One running task of a service: its settings, logger, tracer and telemetry, and the signals it obeys.

SIGTERM stops it after the requests in flight are answered, SIGHUP reads its settings again.
"""

import json
import os
import signal
import sys
import threading
from pathlib import Path

from lab.services import logs
from lab.services.telemetry import Telemetry
from lab.services.tracing import Tracer


class Task:
    def __init__(self, config_path: Path, log_style: str):
        self._config_path = config_path
        config = json.loads(config_path.read_text())
        self.service: str = config["service"]
        self.version: str = config["version"]
        self.settings: dict = config["settings"]
        self.dsn: str = config.get("dsn", "")
        self.discovery = Path(config["discovery"])
        self.ready_file = Path(config["ready_file"])
        self.telemetry = Telemetry(Path(config["telemetry"]), self.service)
        self.tracer = Tracer(Path(config["spans"]), self.service, config["sample_ratio"])
        self.log = logs.logger(log_style, self.service)
        self.stopping = threading.Event()

    def obey_signals(self) -> None:
        signal.signal(signal.SIGTERM, lambda *_: self.stopping.set())
        signal.signal(signal.SIGHUP, lambda *_: self._read_settings())

    def announce(self, port: int) -> None:
        """Tells the lab which port this task got. Written last, so that it also means ready."""
        draft = self.ready_file.with_suffix(".new")
        draft.write_text(str(port))
        draft.replace(self.ready_file)

    def every_second(self, report) -> None:
        """Calls `report` once a second until the task stops, for gauges that have no event of their own."""

        def loop() -> None:
            while not self.stopping.wait(1.0):
                report()

        threading.Thread(target=loop, daemon=True).start()

    def _read_settings(self) -> None:
        before, self.settings = self.settings, json.loads(self._config_path.read_text())["settings"]
        changed = {name: value for name, value in self.settings.items() if before.get(name) != value}
        self.log.info("settings reloaded", extra=logs.context(**changed))


def from_arguments(log_style: str) -> Task:
    if len(sys.argv) != 2 or not os.path.exists(sys.argv[1]):
        sys.exit("usage: python -m lab.services.NAME CONFIG")
    return Task(Path(sys.argv[1]), log_style)
