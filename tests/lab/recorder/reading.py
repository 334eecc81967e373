"""Reads a written bundle back, as anyone else would: from the files alone."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import zstandard

from lab.recorder.bins import PERIOD_S


@dataclass(frozen=True)
class Part:
    """The main folder, or the recovery."""

    metrics: list[dict]
    logs: list[dict]
    spans: list[dict]
    changes: list[dict]
    alarms: list[dict]

    @classmethod
    def read(cls, folder: Path) -> "Part":
        return cls(
            _lines(folder / "metrics.jsonl.zst"),
            _lines(folder / "logs.jsonl.zst"),
            _lines(folder / "spans.jsonl.zst"),
            _lines(folder / "changes.jsonl"),
            _lines(folder / "alarms.jsonl"),
        )

    def values(self, resource: str, name: str, stat: str, start: float, end: float) -> list[float]:
        """A series' values of the bins that lie wholly in the given time."""
        for series in self.metrics:
            if (series["resource"], series["name"], series["stat"]) == (resource, name, stat):
                return [value for t, value in series["points"] if start <= t <= end - PERIOD_S and value is not None]
        return []

    def traces(self, start: float, end: float) -> list[list[dict]]:
        """The traces whose root began in the given time."""
        by_trace: dict[str, list[dict]] = {}
        for span in self.spans:
            by_trace.setdefault(span["trace"], []).append(span)
        begun = {span["trace"] for span in self.spans if span["parent"] is None and start <= span["t"] / 1e6 < end}
        return [spans for trace, spans in by_trace.items() if trace in begun]


@dataclass(frozen=True)
class Phase:
    name: str
    part: Part
    start: float
    end: float

    def mean(self, resource: str, name: str, stat: str) -> float:
        values = self.part.values(resource, name, stat, self.start, self.end)
        return sum(values) / len(values) if values else 0.0


@dataclass(frozen=True)
class Bundle:
    folder: Path
    incident: dict
    topology: dict
    label: dict
    remediation: dict
    main: Part
    recovery: Part

    @classmethod
    def read(cls, folder: Path) -> "Bundle":
        names = ("incident.json", "topology.json", "label.json", "recovery/remediation.json")
        return cls(folder, *(_json(folder / name) for name in names), Part.read(folder), Part.read(folder / "recovery"))

    def alarm_at(self) -> float:
        return unix(self.incident["trigger"]["at"])

    def phases(self) -> tuple[Phase, Phase, Phase]:
        """Healthy, at fault, and recovered. The moments in which the state changes belong to none."""
        baseline, window = self.incident["baseline"][0], self.incident["window"]
        recovered_from = unix(self.remediation["at"]) + SETTLING_S
        return (
            Phase("healthy", self.main, unix(baseline["start"]), unix(baseline["end"])),
            Phase("fault", self.main, self.alarm_at() - SETTLING_S, unix(window["end"])),
            Phase("recovery", self.recovery, recovered_from, unix(self.remediation["recorded_until"])),
        )


# The alarm needs three bins, so the fault was there this long before it; the recovery has drained by then.
SETTLING_S = 3 * PERIOD_S


def unix(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _json(path: Path) -> dict:
    return json.loads(path.read_text())


def _lines(path: Path) -> list[dict]:
    data = path.read_bytes()
    if path.suffix == ".zst":
        data = zstandard.ZstdDecompressor().decompressobj().decompress(data)
    return [json.loads(line) for line in data.decode().splitlines()]
