"""Queries against `orders-db` through the pool, with their spans and the pool's own metrics.

The time waited for a connection belongs to the request's server span: no span is opened for it, as most
instrumentations don't either. Each statement is a client span of the caller with a child that is the database.
"""

from contextlib import contextmanager

import psycopg

from lab.services.pool import Pool, PoolTimeout
from lab.services.task import Task
from lab.services.tracing import Span

DATABASE = "orders-db"


class Database:
    def __init__(self, task: Task):
        settings = task.settings

        def connect() -> psycopg.Connection:
            name = f"{task.service}-{task.version}"
            return psycopg.connect(task.dsn, autocommit=True, application_name=name)

        self._telemetry = task.telemetry
        self._pool = Pool(connect, settings["pool_size"], settings["pool_timeout_s"])
        task.every_second(self._report_pool)

    @contextmanager
    def transaction(self, span: Span):
        """One transaction on one pooled connection; rolled back if the block fails."""
        with self._connection() as connection:
            connection.execute("BEGIN")
            try:
                yield Transaction(connection, span)
                with _statement(span, "COMMIT"):
                    connection.execute("COMMIT")
            except BaseException:
                if not connection.closed:
                    connection.execute("ROLLBACK")
                raise

    def query(self, span: Span, op: str, sql: str, parameters: tuple = ()) -> list[tuple]:
        """One statement on its own."""
        with self._connection() as connection:
            return Transaction(connection, span).run(op, sql, parameters)

    @contextmanager
    def _connection(self):
        connection = self._acquire()
        try:
            yield connection
        finally:
            self._pool.release(connection)

    def _acquire(self) -> psycopg.Connection:
        try:
            connection, waited_ms = self._pool.acquire()
        except PoolTimeout:
            self._telemetry.put(DBPoolTimeouts=1)
            raise
        self._telemetry.put(DBPoolWaitTime=round(waited_ms, 3), DBPoolTimeouts=0)
        return connection

    def _report_pool(self) -> None:
        self._telemetry.put(DBPoolConnectionsInUse=self._pool.in_use, DBPoolRequestsWaiting=self._pool.waiting)


class Transaction:
    """What may be run on a connection while it is held."""

    def __init__(self, connection: psycopg.Connection, span: Span):
        self._connection = connection
        self._span = span

    def run(self, op: str, sql: str, parameters: tuple = ()) -> list[tuple]:
        with _statement(self._span, op):
            cursor = self._connection.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []


@contextmanager
def _statement(span: Span, op: str):
    with span.child(op) as client, client.child(op, DATABASE):
        yield
