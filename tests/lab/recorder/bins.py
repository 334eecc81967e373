"""Collects measured values into bins of ten seconds and computes a bin's statistics.

The alarm and the bundle read the same bins, so the alarm is exactly what the recorded series say. A bin into which
nothing was reported has no statistics.
"""

import json
import math
from collections import defaultdict
from pathlib import Path

PERIOD_S = 10


def bin_of(seconds: float) -> int:
    return int(seconds // PERIOD_S) * PERIOD_S


class Bins:
    def __init__(self):
        self._values: dict[tuple[str, str], dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))

    def add(self, resource: str, name: str, seconds: float, value: float) -> None:
        self._values[resource, name][bin_of(seconds)].append(value)

    def statistic(self, resource: str, name: str, stat: str, bin_start: int) -> float | None:
        values = self._values.get((resource, name), {}).get(bin_start)
        return round(STATISTICS[stat](values), 6) if values else None


class TelemetryFiles:
    """Follows the files of all services and passes on what was appended since the last reading."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._offsets: dict[Path, int] = defaultdict(int)

    def read_into(self, bins: Bins) -> None:
        for path in self._folder.iterdir():
            self._read_file(path, bins)

    def _read_file(self, path: Path, bins: Bins) -> None:
        with path.open("rb") as file:
            file.seek(self._offsets[path])
            for line in file:
                if not line.endswith(b"\n"):
                    break  # still being written; read again next time
                self._offsets[path] += len(line)
                record = json.loads(line)
                for name, value in record["values"].items():
                    bins.add(record["resource"], name, record["t"], value)


def _p99(values: list[float]) -> float:
    """The nearest rank: a value that was really measured."""
    return sorted(values)[math.ceil(0.99 * len(values)) - 1]


STATISTICS = {
    "Sum": sum,
    "Average": lambda values: sum(values) / len(values),
    "Maximum": max,
    "p99": _p99,
}
