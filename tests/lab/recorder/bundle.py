"""Writes one recording as an incident bundle: what was visible at the end of the window, and apart from it the recovery.

Only cuts and writes. Nothing later than the window's end gets into the main folder.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import zstandard

from lab.recorder import log_lines, series, traces
from lab.recorder.bins import Bins
from lab.scenarios.base import Scenario
from lab.shop import model
from lab.shop.shop import Folders

COMPRESSION_LEVEL = 19


@dataclass(frozen=True)
class Times:
    """The moments of a run, in Unix seconds."""

    recorded_from: int
    window_start: int
    alarm_at: float
    window_end: int
    remediated_at: float
    recorded_until: int


@dataclass(frozen=True)
class Recording:
    """All that was recorded from start to end, not yet cut."""

    bins: Bins
    logs: list[dict]
    traces: list[list[dict]]
    changes: list[dict]
    alarms: list[dict]

    @classmethod
    def collect(cls, bins: Bins, folders: Folders, changes: list[dict], alarms: list[dict]) -> "Recording":
        return cls(bins, log_lines.read(folders.logs), traces.read(folders.spans), changes, alarms)


def write(folder: Path, scenario: Scenario, recording: Recording, times: Times) -> None:
    folder.mkdir(parents=True)
    _write_json(folder / "incident.json", _incident(scenario, times))
    _write_json(folder / "topology.json", _topology())
    _write_json(folder / "label.json", {"root_cause": scenario.root_cause})
    _write_cut(folder, recording, times.recorded_from, times.window_end)

    recovery = folder / "recovery"
    recovery.mkdir()
    _write_json(recovery / "remediation.json", _remediation(scenario, times))
    _write_cut(recovery, recording, times.remediated_at, times.recorded_until)


def rfc3339(seconds: float) -> str:
    at = datetime.fromtimestamp(seconds, UTC)
    return at.isoformat(timespec="milliseconds" if at.microsecond else "seconds").replace("+00:00", "Z")


def _write_cut(folder: Path, recording: Recording, start: float, end: float) -> None:
    """What was recorded from `start` up to, not including, `end`."""
    _write_lines(folder / "metrics.jsonl.zst", _metric_lines(recording.bins, int(-(-start // 1)), int(end)))
    _write_lines(folder / "logs.jsonl.zst", _between(recording.logs, start, end))
    whole = traces.within(recording.traces, start, end)
    spans = sorted((span for spans in whole for span in spans), key=lambda span: span["t"])
    _write_lines(folder / "spans.jsonl.zst", spans)
    _write_lines(folder / "changes.jsonl", _between(recording.changes, start, end))
    _write_lines(folder / "alarms.jsonl", _between(recording.alarms, start, end))


def _between(events: list[dict], start: float, end: float) -> list[dict]:
    return [event for event in events if start * 1000 <= event["t"] < end * 1000]


def _metric_lines(bins: Bins, start: int, end: int) -> list[dict]:
    lines = []
    for entry in series.all_series():
        points = series.points(bins, entry, start, end)
        if any(value is not None for _, value in points):
            lines.append(
                {
                    "resource": entry.resource,
                    "namespace": entry.namespace,
                    "name": entry.name,
                    "stat": entry.stat,
                    "unit": entry.unit,
                    "period_s": series.PERIOD_S,
                    "dimensions": entry.dimensions,
                    "points": points,
                }
            )
    return lines


def _incident(scenario: Scenario, times: Times) -> dict:
    alarm = scenario.alarm
    window_start = rfc3339(times.window_start)
    return {
        "format": "incident-bundle/1",
        # Says when, not why: an investigation sees the id.
        "id": datetime.fromtimestamp(times.alarm_at, UTC).strftime("lab-%Y%m%d-%H%M"),
        "title": scenario.title,
        "trigger": {
            "kind": "metric_alarm",
            "resource": alarm.resource,
            "metric": alarm.metric,
            "stat": alarm.stat,
            "direction": "above",
            "at": rfc3339(times.alarm_at),
        },
        "window": {"start": window_start, "end": rfc3339(times.window_end)},
        "baseline": [{"start": rfc3339(times.recorded_from), "end": window_start}],
        # Says where it comes from, not what was done: an investigation sees it.
        "source": {"name": "Tantei lab recording", "license": "Apache-2.0", "repository": "tests/lab"},
    }


def _topology() -> dict:
    return {
        "nodes": [{"id": name, "kind": kind} for name, kind in model.NODES.items()],
        "edges": [
            {"from": one, "to": other, "kind": kind}
            for kind, pairs in (("calls", model.CALLS), ("async", model.HANDOVERS))
            for one, other in pairs
        ],
    }


def _remediation(scenario: Scenario, times: Times) -> dict:
    remediation = scenario.remediation
    return {
        "resource": remediation.resource,
        "action": remediation.action,
        "document": remediation.document,
        "at": rfc3339(times.remediated_at),
        "recorded_until": rfc3339(times.recorded_until),
        "summary": remediation.summary,
    }


def _write_json(path: Path, value: dict) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def _write_lines(path: Path, records: list[dict]) -> None:
    text = "".join(json.dumps(record, separators=(",", ":"), ensure_ascii=False) + "\n" for record in records)
    data = text.encode()
    if path.suffix == ".zst":
        data = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL).compress(data)
    path.write_bytes(data)
