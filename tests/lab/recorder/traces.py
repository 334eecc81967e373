"""Reads spans and groups them into whole traces; knows how much of a trace's time each resource spent itself."""

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path


def read(folder: Path) -> list[list[dict]]:
    """Every trace whose root ended, each sorted by start."""
    traces = defaultdict(list)
    for path in sorted(folder.iterdir()):
        for line in path.read_text().splitlines():
            span = json.loads(line)
            traces[span["trace"]].append(span)
    whole = (sorted(spans, key=lambda span: span["t"]) for spans in traces.values())
    return sorted((spans for spans in whole if root(spans) is not None), key=lambda spans: root(spans)["t"])


def root(spans: list[dict]) -> dict | None:
    return next((span for span in spans if span["parent"] is None), None)


def within(traces: Iterable[list[dict]], start: float, end: float) -> list[list[dict]]:
    """The traces that began at `start` or later and of which everything had ended by `end`."""
    return [spans for spans in traces if root(spans)["t"] >= start * 1e6 and _end_us(spans) <= end * 1e6]


def mean_self_ms(traces: list[list[dict]]) -> dict[str, float]:
    """Milliseconds that each resource itself spent in an average trace: its spans less what they waited for."""
    totals: dict[str, float] = defaultdict(float)
    for spans in traces:
        for resource, micros in _self_us(spans).items():
            totals[resource] += micros / 1000 / len(traces)
    return dict(totals)


def _self_us(spans: list[dict]) -> dict[str, int]:
    of_children: dict[str, int] = defaultdict(int)
    for span in spans:
        of_children[span["parent"]] += span["dur_us"]
    own: dict[str, int] = defaultdict(int)
    for span in spans:
        own[span["resource"]] += max(0, span["dur_us"] - of_children[span["span"]])
    return own


def _end_us(spans: list[dict]) -> int:
    return max(span["t"] + span["dur_us"] for span in spans)
