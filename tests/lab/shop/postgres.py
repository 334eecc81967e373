"""`orders-db`: a PostgreSQL cluster of its own in a temporary folder, on loopback, with a password made for this run."""

import os
import pwd
import secrets
import signal
import socket
import time
from pathlib import Path

import psycopg

from lab.shop.processes import Account, Processes, run

DATABASE = "shop"
SCHEMA = Path(__file__).with_name("schema.sql")
START_TIMEOUT_S = 30.0
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "40",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # The prefix of RDS, with milliseconds, which the recording needs.
    "log_line_prefix": "%m:%r:%u@%d:[%p]:",
    "log_lock_waits": "on",
    # A wait is logged once it lasted this long.
    "deadlock_timeout": "250ms",
    "log_min_duration_statement": "400ms",
}


class Postgres:
    def __init__(self, processes: Processes, folder: Path, log: Path):
        self._processes = processes
        self._binaries = _newest_binaries()
        self._folder = folder
        self._log = log
        self._account = _unprivileged_account()
        self._password = secrets.token_urlsafe(18)
        self.port = _free_port()

    def start(self) -> None:
        self._initialise()
        options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        self._processes.start(
            "orders-db",
            [self._binaries / "postgres", "-D", self._data, "-p", self.port, *options],
            env=_environment(),
            output=self._log,
            cwd=self._folder,
            account=self._account,
            # "Fast": ends sessions instead of waiting for them.
            stop_signal=signal.SIGINT,
        )
        self._await_ready()
        self._load_schema()

    def pid(self) -> int:
        return self._processes.pid("orders-db")

    def dsn(self, user: str, database: str = DATABASE) -> str:
        return f"host=127.0.0.1 port={self.port} user={user} dbname={database} password={self._password}"

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _initialise(self) -> None:
        self._folder.mkdir(mode=0o700)
        password_file = self._folder / "password"
        password_file.write_text(self._password)
        password_file.chmod(0o600)
        if self._account is not None:
            for path in (self._folder, password_file):
                os.chown(path, self._account.uid, self._account.gid)
        command = [self._binaries / "initdb", "-D", self._data, "--username=rdsadmin", "--auth=scram-sha-256"]
        command += [f"--pwfile={password_file}", "--encoding=UTF8", "--locale=C"]
        run(command, env=_environment(), cwd=self._folder, account=self._account, timeout_s=120)
        password_file.unlink()

    def _await_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            self._processes.expect_running()
            try:
                psycopg.connect(self.dsn("rdsadmin", "postgres")).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def _load_schema(self) -> None:
        with psycopg.connect(self.dsn("rdsadmin", "postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}")
            for role in ("catalog", "orders"):
                connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{self._password}'")
        with psycopg.connect(self.dsn("rdsadmin"), autocommit=True) as connection:
            connection.execute(SCHEMA.read_text())


def _newest_binaries() -> Path:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if not folders:
        raise FileNotFoundError("no PostgreSQL under /usr/lib/postgresql")
    return folders[-1]


def _unprivileged_account() -> Account | None:
    """The account for PostgreSQL, which refuses to run as root; None where the lab itself is not root."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("postgres")
    return Account(entry.pw_uid, entry.pw_gid)


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
