"""Spans in the way of OpenTelemetry: ids, W3C `traceparent`, head sampling by trace id.

Spans are written in the bundle's own form. There is no exporter and no batching: a finished span is a line in a file.
"""

import json
import secrets
import threading
import time
from pathlib import Path

SAMPLE_SPACE = 1 << 32


class Tracer:
    def __init__(self, path: Path, resource: str, ratio: float):
        self._resource = resource
        self._threshold = int(ratio * SAMPLE_SPACE)
        self._lock = threading.Lock()
        self._file = path.open("a", buffering=1)

    def server(self, op: str, traceparent: str | None) -> "Span":
        """The span of a request that arrived here; begins a new trace where the caller sent none."""
        if traceparent is None:
            trace, parent = secrets.token_hex(16), None
            # Decided by the id alone, so that a trace is kept or dropped as a whole and alike in every phase.
            sampled = int(trace[:8], 16) < self._threshold
        else:
            _, trace, parent, flags = traceparent.split("-")
            sampled = flags == "01"
        return Span(self, trace, parent, sampled, self._resource, op)

    def write(self, span: dict) -> None:
        line = json.dumps(span, separators=(",", ":")) + "\n"
        with self._lock:
            self._file.write(line)


class Span:
    """One timed operation, used as a context manager. An exception that passes through marks it as failed."""

    def __init__(self, tracer: Tracer, trace: str, parent: str | None, sampled: bool, resource: str, op: str):
        self.trace = trace
        self.id = secrets.token_hex(8)
        self.sampled = sampled
        self.failed = False
        self._tracer = tracer
        self._parent = parent
        self._resource = resource
        self._op = op
        self._start_us = time.time_ns() // 1000
        self._start_ns = time.perf_counter_ns()

    def child(self, op: str, resource: str | None = None) -> "Span":
        """A span inside this one, of the same resource unless another is named."""
        return Span(self._tracer, self.trace, self.id, self.sampled, resource or self._resource, op)

    def traceparent(self) -> str:
        return f"00-{self.trace}-{self.id}-{'01' if self.sampled else '00'}"

    def elapsed_ms(self) -> float:
        return (time.perf_counter_ns() - self._start_ns) / 1e6

    def __enter__(self) -> "Span":
        return self

    def __exit__(self, kind, error, traceback) -> None:
        if not self.sampled:
            return
        record = {
            "t": self._start_us,
            "dur_us": (time.perf_counter_ns() - self._start_ns) // 1000,
            "trace": self.trace,
            "span": self.id,
            "parent": self._parent,
            "resource": self._resource,
            "op": self._op,
        }
        if self.failed or error is not None:
            record["error"] = True
        self._tracer.write(record)
