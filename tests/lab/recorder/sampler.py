"""Looks once a second at what no service reports about itself: /proc for CPU and memory, pg_stat_* for the database."""

import os
import threading
import time
from pathlib import Path

import psycopg

from lab.services.telemetry import Telemetry
from lab.shop import model
from lab.shop.agent import resident_bytes
from lab.shop.processes import ProcessDied
from lab.shop.shop import Shop

TICKS_PER_S = os.sysconf("SC_CLK_TCK")

# The sampler's own session is left out throughout. Waiting for the client is idleness, not load.
SESSIONS = """
SELECT count(*),
       count(*) FILTER (WHERE state = 'active'),
       count(*) FILTER (WHERE state = 'active' AND wait_event_type IS NOT NULL AND wait_event_type <> 'Client'),
       count(*) FILTER (WHERE wait_event_type = 'Lock')
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
# The views that PostgreSQL 14 to 17 have alike.
COUNTERS = """
SELECT (SELECT sum(blks_read) FROM pg_stat_database),
       (SELECT wal_write FROM pg_stat_wal),
       (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database())
"""


class Sampler:
    """A thread that samples until the `with` block is left."""

    def __init__(self, shop: Shop, telemetry: Path):
        self._shop = shop
        self._telemetry = {name: Telemetry(telemetry / f"sampler-{name}", name) for name in (*model.ECS_SERVICES, "orders-db")}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._cpu: dict[int, float] = {}
        self._counters: tuple | None = None
        self._sampled_at = time.monotonic()

    def __enter__(self) -> "Sampler":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        self._thread.join(5.0)

    def expect_running(self) -> None:
        if not self._thread.is_alive():
            raise ProcessDied("the sampler ended by itself; its error is above")

    def _loop(self) -> None:
        with psycopg.connect(self._shop.database.dsn("rdsadmin"), autocommit=True, application_name="sampler") as connection:
            while not self._stop.wait(1.0):
                now = time.monotonic()
                elapsed_s, self._sampled_at = now - self._sampled_at, now
                for service in model.ECS_SERVICES:
                    self._sample_service(service, elapsed_s)
                self._sample_database(connection, elapsed_s)

    def _sample_service(self, service: str, elapsed_s: float) -> None:
        pids = self._shop.pids(service)
        if not pids:
            return
        memory = sum(resident_bytes(pid) for pid in pids)
        values = {"MemoryUtilization": round(100 * memory / model.TASK_MEMORY_BYTES, 3)}
        busy_s = self._cpu_since_last_sample(pids)
        if busy_s is not None:
            values["CPUUtilization"] = round(100 * busy_s / elapsed_s / model.TASK_CPU_VCPU, 3)
        self._telemetry[service].put(**values)

    def _sample_database(self, connection: psycopg.Connection, elapsed_s: float) -> None:
        sessions, active, waiting, blocked = connection.execute(SESSIONS).fetchone()
        values = {
            "DatabaseConnections": sessions,
            "DBLoad": active,
            "DBLoadNonCPU": waiting,
            "DBLoadCPU": active - waiting,
            "db.Transactions.blocked_transactions.avg": blocked,
        }
        counters = tuple(map(int, connection.execute(COUNTERS).fetchone()))
        if self._counters is not None:
            names = ("ReadIOPS", "WriteIOPS", "db.Transactions.xact_commit.avg")
            for name, now, before in zip(names, counters, self._counters, strict=True):
                values[name] = round((now - before) / elapsed_s, 3)
        self._counters = counters
        busy_s = self._cpu_since_last_sample(_with_children(self._shop.database.pid()))
        if busy_s is not None:
            values["CPUUtilization"] = round(100 * busy_s / elapsed_s / os.cpu_count(), 3)
        self._telemetry["orders-db"].put(**values)

    def _cpu_since_last_sample(self, pids: list[int]) -> float | None:
        """CPU seconds of those processes that were there at the last sample too; None if none was."""
        spent = {pid: seconds for pid in pids if (seconds := _cpu_s(pid)) is not None}
        known = [seconds - self._cpu[pid] for pid, seconds in spent.items() if pid in self._cpu]
        self._cpu |= spent
        return sum(known) if known else None


def _cpu_s(pid: int) -> float | None:
    """CPU seconds that a process has used; None if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def _with_children(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]
