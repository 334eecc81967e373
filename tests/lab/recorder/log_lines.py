"""Reads the services' log files into events: the time and the trace context are found in the lines themselves.

A line without a time of its own continues the event before it, as the lines of a stack trace do.
"""

import calendar
import re
import time
from collections.abc import Iterator
from pathlib import Path

# All formats begin with the time, JSON and logfmt after a short key.
STARTS_EVENT = re.compile(r'^(?:\{"timestamp": "|ts=)?(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)[.,](\d{3})')
TRACE = re.compile(r'trace_id"?[=:] ?"?([0-9a-f]{32})\b')
SPAN = re.compile(r'span_id"?[=:] ?"?([0-9a-f]{16})\b')


def read(folder: Path) -> list[dict]:
    """All events of all files, in the order of time."""
    events = [event for path in sorted(folder.iterdir()) for event in _events(path)]
    return sorted(events, key=lambda event: event["t"])


def _events(path: Path) -> Iterator[dict]:
    resource = path.name.split("~")[0]
    stream = path.name.replace("~", "/")
    message: list[str] = []
    t = 0
    for line in path.read_text().splitlines():
        start = STARTS_EVENT.match(line)
        if start is None:
            message.append(line)
            continue
        if t:
            yield _event(t, resource, stream, "\n".join(message))
        t, message = _milliseconds(*start.groups()), [line]
    if t:
        yield _event(t, resource, stream, "\n".join(message))


def _event(t: int, resource: str, stream: str, message: str) -> dict:
    event = {"t": t, "resource": resource, "stream": stream, "message": message}
    for key, pattern in (("trace", TRACE), ("span", SPAN)):
        found = pattern.search(message)
        if found is not None:
            event[key] = found.group(1)
    return event


def _milliseconds(date: str, clock: str, millis: str) -> int:
    return calendar.timegm(time.strptime(f"{date} {clock}", "%Y-%m-%d %H:%M:%S")) * 1000 + int(millis)
