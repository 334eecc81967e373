"""The running shop: starts its tasks, deploys and reconfigures them, and notes each change as it is made.

Decides nothing about when; `lab.run` and the scenarios do.
"""

import json
import secrets
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from lab.services import discovery
from lab.shop import model
from lab.shop.changes import Changes
from lab.shop.postgres import Postgres
from lab.shop.processes import Processes

TASK_START_TIMEOUT_S = 20.0
# For callers that read the old address just before it was replaced.
HANDOVER_S = 0.5
# Task definitions were registered long before the recording begins.
FIRST_REVISION = 41
# Which whole traces are kept, the same in every phase, so that the bundle stays small.
SAMPLE_RATIO = 0.1
DATABASE_USERS = ("catalog", "orders")
IMPORT_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Folders:
    """Where a run keeps its files; all below one temporary folder."""

    root: Path
    telemetry: Path
    spans: Path
    logs: Path
    discovery: Path
    tasks: Path
    # What third parties write down, which the shop never sees.
    elsewhere: Path

    @classmethod
    def below(cls, root: Path) -> "Folders":
        folders = cls(root, *(root / name for name in ("telemetry", "spans", "logs", "discovery", "tasks", "elsewhere")))
        for folder in (folders.telemetry, folders.spans, folders.logs, folders.discovery, folders.tasks, folders.elsewhere):
            folder.mkdir()
        return folders


@dataclass
class Release:
    """A version of a service with its settings."""

    version: str
    settings: dict = field(default_factory=dict)

    def with_settings(self, **changed) -> "Release":
        return Release(self.version, self.settings | changed)


class Shop:
    def __init__(self, processes: Processes, folders: Folders):
        self._processes = processes
        self._folders = folders
        self._tasks: dict[str, str] = {}
        self._releases: dict[str, Release] = {}
        self._revisions: list[str] = []
        self.changes = Changes()
        self.database = Postgres(processes, folders.root / "postgres", folders.logs / "orders-db~postgresql")

    def start(self, releases: dict[str, Release]) -> None:
        """Starts the database and the given services, in that order."""
        self.database.start()
        for service, release in releases.items():
            self._replace_task(service, release)

    def expect_running(self) -> None:
        self._processes.expect_running()

    def deploy(self, service: str, release: Release, *, actor: str, summary: str) -> None:
        """A rolling deployment: the new task serves before the old one drains and stops."""
        revisions = (self._revision(self._releases[service]), self._revision(release))
        deployment = self.changes.deployment_started(service, actor, summary, revisions)
        self._replace_task(service, release)
        self.changes.deployment_completed(deployment)

    def _revision(self, release: Release) -> int:
        """The task definition's revision of a release: every version was registered once, in order."""
        if release.version not in self._revisions:
            self._revisions.append(release.version)
        return FIRST_REVISION + self._revisions.index(release.version)

    def reconfigure(self, service: str, *, actor: str, summary: str, **settings) -> None:
        """Changes settings of the running task, which reads them again at once."""
        self._change_settings(service, settings)
        self.changes.configuration(service, actor, summary)

    def happens_elsewhere(self, third_party: str, **settings) -> None:
        """Something changes at a third party. Nobody tells the shop."""
        self._change_settings(third_party, settings)

    def _change_settings(self, service: str, settings: dict) -> None:
        release = self._releases[service].with_settings(**settings)
        self._releases[service] = release
        self._write_config(service, self._tasks[service], release)
        self._processes.signal(self._tasks[service], signal.SIGHUP)

    def pids(self, service: str) -> list[int]:
        """The processes of the service's tasks; none while it waits for a new one."""
        pid = self._processes.pid(self._tasks.get(service, ""))
        return [] if pid is None else [pid]

    def out_of_memory(self, service: str) -> None:
        """The kernel ends a task that went over its memory, and ECS notes it."""
        self._processes.kill(self._tasks.pop(service))
        self.changes.task_stopped(service, "OutOfMemoryError: Container killed due to memory usage", 137)

    def start_again(self, service: str) -> None:
        """ECS starts a new task of the release that should run, unless a deployment already did."""
        if service not in self._tasks:
            self._replace_task(service, self._releases[service])
            self.changes.task_started(service)

    def _replace_task(self, service: str, release: Release) -> None:
        old = self._tasks.get(service)
        task = f"{service}-{secrets.token_hex(16)}"
        port = self._start_task(service, task, release)
        discovery.publish(self._folders.discovery, service, port)
        self._tasks[service] = task
        self._releases[service] = release
        if old is not None:
            time.sleep(HANDOVER_S)
            self._processes.stop(old)

    def _start_task(self, service: str, task: str, release: Release) -> int:
        config = self._write_config(service, task, release)
        # The file is named after the log stream that ECS would write: service, container, task.
        environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(IMPORT_ROOT)}
        environment["PYTHONPYCACHEPREFIX"] = str(self._folders.root / "pycache")
        logs = self._folders.elsewhere if service in model.MANAGED else self._records_of(service, self._folders.logs)
        output = logs / f"{service}~app~{task.removeprefix(service + '-')}"
        self._processes.start(
            task,
            [sys.executable, "-m", f"lab.services.{model.MODULES.get(service, service)}", config],
            env=environment,
            output=output,
            cwd=self._folders.root,
        )
        return self._await_port(task)

    def _write_config(self, service: str, task: str, release: Release) -> Path:
        config = {
            "service": service,
            "version": release.version,
            "settings": release.settings,
            "sample_ratio": SAMPLE_RATIO,
            "discovery": str(self._folders.discovery),
            "telemetry": str(self._records_of(service, self._folders.telemetry) / f"{task}.telemetry"),
            "spans": str(self._records_of(service, self._folders.spans) / f"{task}.spans"),
            "ready_file": str(self._ready_file(task)),
        }
        if service in DATABASE_USERS:
            config["dsn"] = self.database.dsn(service)
        path = self._folders.tasks / f"{task}.json"
        path.write_text(json.dumps(config))
        return path

    def _records_of(self, service: str, folder: Path) -> Path:
        return self._folders.elsewhere if service in model.THIRD_PARTIES else folder

    def _await_port(self, task: str) -> int:
        deadline = time.monotonic() + TASK_START_TIMEOUT_S
        ready = self._ready_file(task)
        while not ready.exists():
            self._processes.expect_running()
            if time.monotonic() > deadline:
                raise TimeoutError(f"{task} was not ready after {TASK_START_TIMEOUT_S:.0f} s")
            time.sleep(0.05)
        return int(ready.read_text())

    def _ready_file(self, task: str) -> Path:
        return self._folders.tasks / f"{task}.ready"
