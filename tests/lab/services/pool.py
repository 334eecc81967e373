"""A small fixed-size connection pool: a caller waits for a free connection, up to a limit.

Knows nothing of SQL; connections are opened by the function it is given, on first need.
"""

import queue
import threading
import time
from collections.abc import Callable

import psycopg


class PoolTimeout(Exception):
    """No connection became free in time."""


class Pool:
    def __init__(self, connect: Callable[[], psycopg.Connection], size: int, timeout_s: float):
        self._connect = connect
        self._size = size
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self.waiting = 0
        # An empty slot is a connection that is still to be opened.
        self._slots: queue.Queue[psycopg.Connection | None] = queue.Queue()
        for _ in range(size):
            self._slots.put(None)

    @property
    def in_use(self) -> int:
        return self._size - self._slots.qsize()

    def acquire(self) -> tuple[psycopg.Connection, float]:
        """A connection, and how many milliseconds it was waited for."""
        began = time.perf_counter()
        self._count_waiting(+1)
        try:
            connection = self._slots.get(timeout=self._timeout_s)
        except queue.Empty:
            raise PoolTimeout(
                f"couldn't get a connection after {self._timeout_s:.2f} sec"
                f" (pool size={self._size}, in use={self.in_use}, requests waiting={self.waiting})"
            ) from None
        finally:
            self._count_waiting(-1)
        waited_ms = (time.perf_counter() - began) * 1000
        if connection is None or connection.closed:
            connection = self._open()
        return connection, waited_ms

    def release(self, connection: psycopg.Connection) -> None:
        self._slots.put(connection)

    def _open(self) -> psycopg.Connection:
        try:
            return self._connect()
        except psycopg.Error:
            self._slots.put(None)
            raise

    def _count_waiting(self, change: int) -> None:
        with self._lock:
            self.waiting += change
