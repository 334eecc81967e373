"""Starts and stops operating-system processes so that none outlives the lab, however the lab ends."""

import ctypes
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


@dataclass(frozen=True)
class Account:
    """The user that a process runs as."""

    uid: int
    gid: int


class ProcessDied(Exception):
    """A process that should be running is not."""


class Processes:
    """All children of the lab; leaving the `with` block stops what still runs, last started first."""

    def __init__(self):
        self._running: dict[str, subprocess.Popen] = {}
        self._stop_signals: dict[str, int] = {}

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *_) -> None:
        for name in reversed(list(self._running)):
            self.stop(name)

    def start(
        self,
        name: str,
        command: list,
        *,
        env: dict[str, str],
        output: Path,
        cwd: Path,
        account: Account | None = None,
        stop_signal: int = signal.SIGTERM,
    ) -> None:
        with output.open("ab") as sink:
            self._running[name] = subprocess.Popen(
                [str(part) for part in command],
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                # A session of its own: Ctrl-C reaches the lab alone, which then stops its children in order.
                start_new_session=True,
                preexec_fn=_die_with_parent,
                **_as_account(account),
            )
        self._stop_signals[name] = stop_signal

    def stop(self, name: str, grace_s: float = 15.0) -> None:
        process = self._running.pop(name)
        process.send_signal(self._stop_signals.pop(name))
        try:
            process.wait(grace_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self, name: str) -> None:
        """Ends it at once, as the kernel does when a container is out of memory."""
        self._stop_signals.pop(name)
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def signal(self, name: str, number: int) -> None:
        self._running[name].send_signal(number)

    def pid(self, name: str) -> int | None:
        """None if no such process runs; the sampler asks while the lab stops and starts tasks."""
        process = self._running.get(name)
        return None if process is None else process.pid

    def expect_running(self) -> None:
        for name, process in self._running.items():
            if process.poll() is not None:
                raise ProcessDied(f"{name} ended by itself with status {process.returncode}")


def run(command: list, *, env: dict[str, str], cwd: Path, account: Account | None, timeout_s: float) -> None:
    """Runs a command to its end and fails with what it printed."""
    done = subprocess.run(
        [str(part) for part in command],
        env=env,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        **_as_account(account),
    )
    if done.returncode != 0:
        raise ProcessDied(f"{command[0]} failed: {done.stderr.strip() or done.stdout.strip()}")


def _as_account(account: Account | None) -> dict:
    return {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": []}


def _die_with_parent() -> None:
    # Even if the lab is killed outright, the kernel then stops the child.
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
