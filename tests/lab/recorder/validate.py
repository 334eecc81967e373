"""Checks a written bundle: its form, that it contains no look-ahead, and that it is the incident that its label says.

The first check that fails ends it, with a sentence for people.
"""

from pathlib import Path

from lab.recorder import traces
from lab.recorder.reading import Bundle, Part, Phase, unix
from lab.scenarios.base import Rise, Scenario
from lab.shop import model

SIZE_BYTES_MAX = 2_000_000
# How clearly the root cause must stand out in self time, against the next resource.
ROOT_CAUSE_LEAD = 2.0
# A metric that is nearly zero when healthy has recovered below this share of its fault.
RECOVERED_SHARE = 0.1
# What still counts as hardly touched.
BYSTANDER_GROWTH_MAX = 2.0
BYSTANDER_GROWTH_MS_FREE = 10.0

FIELDS = {
    "metrics": {"resource": str, "namespace": str, "name": str, "stat": str, "period_s": int, "points": list},
    "logs": {"t": int, "resource": str, "stream": str, "message": str},
    "spans": {"t": int, "dur_us": int, "trace": str, "span": str, "resource": str, "op": str},
    "changes": {"t": int, "resource": str, "kind": str, "actor": str, "summary": str},
    "alarms": {"t": int, "AlarmName": str, "NewStateValue": str, "NewStateReason": str, "Trigger": dict},
}


class Invalid(Exception):
    """The bundle is not what it should be."""


def check(folder: Path, scenario: Scenario) -> None:
    bundle = Bundle.read(folder)
    _check_size(folder)
    for part in (bundle.main, bundle.recovery):
        _check_fields(part, bundle)
        _check_traces_are_whole(part)
    _check_times(bundle)
    _check_alarm(bundle)
    _check_symptoms(bundle)
    if scenario.evidence is None:
        _check_root_cause(bundle)
    else:
        _check_rise(bundle, scenario.evidence)
    _check_bystanders(bundle, scenario)


def self_time_growth(bundle: Bundle) -> dict[str, float]:
    """By how many milliseconds an average trace's own time in each resource grew from healthy to fault."""
    healthy, fault, _ = (traces.mean_self_ms(phase.part.traces(phase.start, phase.end)) for phase in bundle.phases())
    return {resource: fault.get(resource, 0.0) - healthy.get(resource, 0.0) for resource in healthy | fault}


def _require(condition: bool, sentence: str) -> None:
    if not condition:
        raise Invalid(sentence)


def _check_size(folder: Path) -> None:
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    _require(size <= SIZE_BYTES_MAX, f"the bundle has {size} bytes, more than {SIZE_BYTES_MAX}")


def _check_fields(part: Part, bundle: Bundle) -> None:
    known = {node["id"] for node in bundle.topology["nodes"]}
    for kind, fields in FIELDS.items():
        for record in getattr(part, kind):
            wrong = [name for name, kind_of in fields.items() if not isinstance(record.get(name), kind_of)]
            _require(not wrong, f"{kind}: a record lacks {', '.join(wrong)}")
            _require(kind == "alarms" or record["resource"] in known, f"{kind}: a record of an unknown resource")
    measured = {series["resource"] for series in part.metrics}
    missing = known - measured - set(model.THIRD_PARTIES)
    _require(not missing, f"no metrics of {', '.join(sorted(missing))}")
    _require(not measured & set(model.THIRD_PARTIES), "a third party's metrics were recorded")


def _check_traces_are_whole(part: Part) -> None:
    ids = {(span["trace"], span["span"]) for span in part.spans}
    orphans = [span for span in part.spans if span["parent"] is not None and (span["trace"], span["parent"]) not in ids]
    _require(bool(ids), "no spans were recorded")
    _require(not orphans, f"{len(orphans)} spans lack their parent")


def _check_times(bundle: Bundle) -> None:
    baseline, window = bundle.incident["baseline"][0], bundle.incident["window"]
    start, end = unix(baseline["start"]), unix(window["end"])
    order = [start, unix(baseline["end"]), unix(window["start"]), bundle.alarm_at(), end, unix(bundle.remediation["at"])]
    _require(order == sorted(order), "baseline, window, alarm and remediation are not in this order")
    _check_inside(bundle.main, start, end)
    _check_inside(bundle.recovery, unix(bundle.remediation["at"]), unix(bundle.remediation["recorded_until"]))
    in_baseline = [change for change in bundle.main.changes if change["kind"] == "deployment" and change["t"] / 1000 < order[1]]
    _require(not in_baseline, "a deployment lies in the baseline")


def _check_inside(part: Part, start: float, end: float) -> None:
    moments = [t for series in part.metrics for point in series["points"] for t in (point[0], point[0] + series["period_s"])]
    moments += [event["t"] / 1000 for event in (*part.logs, *part.changes, *part.alarms)]
    moments += [t / 1e6 for span in part.spans for t in (span["t"], span["t"] + span["dur_us"])]
    # The headers have milliseconds, so the borders are met to the millisecond.
    _require(start - 0.001 <= min(moments) and max(moments) <= end, "something was recorded outside its folder's time")


def _check_alarm(bundle: Bundle) -> None:
    raised = [alarm for alarm in bundle.main.alarms if alarm["NewStateValue"] == "ALARM"]
    cleared = [alarm for alarm in bundle.recovery.alarms if alarm["NewStateValue"] == "OK"]
    _require(len(raised) == 1, f"the alarm fired {len(raised)} times by the end of the window")
    _require(len(cleared) == 1, f"the alarm returned to OK {len(cleared)} times in the recovery")


def _check_symptoms(bundle: Bundle) -> None:
    trigger = bundle.incident["trigger"]
    series = (trigger["resource"], trigger["metric"], trigger["stat"])
    healthy, fault, recovery = (phase.mean(*series) for phase in bundle.phases())
    _require(fault > 3 * healthy, f"{trigger['metric']} only went from {healthy:.3f} to {fault:.3f}")
    _require(recovery < max(2 * healthy, fault * RECOVERED_SHARE), f"{trigger['metric']} stayed at {recovery:.3f} in the recovery, it was {healthy:.3f}")


def _check_root_cause(bundle: Bundle) -> None:
    growth = self_time_growth(bundle)
    root = bundle.label["root_cause"]["resource"]
    others = max(grown for resource, grown in growth.items() if resource != root)
    sentence = f"{root} grew by {growth[root]:.0f} ms of its own a trace, another by {others:.0f} ms: the label would not hold"
    _require(growth[root] >= ROOT_CAUSE_LEAD * max(others, 1.0), sentence)


def _check_rise(bundle: Bundle, rise: Rise) -> None:
    root = bundle.label["root_cause"]["resource"]
    healthy, fault, _ = (phase.mean(root, rise.metric, rise.stat) for phase in bundle.phases())
    sentence = f"{rise.metric} of {root} only went from {healthy:.1f} to {fault:.1f}: the label would not hold"
    _require(fault - healthy >= rise.by, sentence)


def _check_bystanders(bundle: Bundle, scenario: Scenario) -> None:
    healthy, fault, _ = bundle.phases()
    for resource in scenario.bystanders:
        before, after = (_latency_ms(phase, resource) for phase in (healthy, fault))
        touched = after > BYSTANDER_GROWTH_MAX * before + BYSTANDER_GROWTH_MS_FREE
        _require(not touched, f"{resource} should hardly feel the fault but went from {before:.1f} to {after:.1f} ms")


def _latency_ms(phase: Phase, resource: str) -> float:
    return phase.mean(resource, "Latency", "Average")
