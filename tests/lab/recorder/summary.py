"""Prints what a bundle holds, phase by phase, for the person who recorded it."""

from pathlib import Path

from lab.recorder import traces
from lab.recorder.bins import PERIOD_S
from lab.recorder.reading import Bundle
from lab.shop import model

ROWS = (
    ("shop-alb", "RequestCount", "Sum", 1 / PERIOD_S, "requests/s"),
    ("shop-alb", "TargetResponseTime", "Average", 1000, "average ms"),
    ("shop-alb", "TargetResponseTime", "p99", 1000, "p99 ms"),
    ("shop-alb", "HTTPCode_Target_5XX_Count", "Sum", 1 / PERIOD_S, "5xx/s, where any"),
    *(
        (service, name, stat, factor, label)
        for service in model.ECS_SERVICES
        for name, stat, factor, label in (
            ("RequestCount", "Sum", 1 / PERIOD_S, "requests/s"),
            ("Latency", "Average", 1, "average ms"),
            ("Latency", "p99", 1, "p99 ms"),
            ("Fault", "Sum", 1 / PERIOD_S, "faults/s"),
            ("CPUUtilization", "Average", 1, "CPU %"),
        )
    ),
    ("orders", "DBPoolConnectionsInUse", "Average", 1, "pool in use"),
    ("orders", "DBPoolWaitTime", "Average", 1, "pool wait ms"),
    ("orders-db", "DBLoad", "Average", 1, "DBLoad"),
    ("orders-db", "DBLoadNonCPU", "Average", 1, "DBLoadNonCPU"),
    ("orders-db", "CPUUtilization", "Average", 1, "CPU %"),
    ("orders-db", "db.Transactions.blocked_transactions.avg", "Average", 1, "blocked"),
    ("orders-db", "WriteIOPS", "Average", 1, "WriteIOPS"),
)


def show(folder: Path) -> None:
    bundle = Bundle.read(folder)
    phases = bundle.phases()
    print(f"\n{'':<30}" + "".join(f"{phase.name:>11}" for phase in phases))
    for resource, name, stat, factor, label in ROWS:
        _row(f"{resource} {label}", [phase.mean(resource, name, stat) * factor for phase in phases])
    own = [traces.mean_self_ms(phase.part.traces(phase.start, phase.end)) for phase in phases]
    for resource in model.NODES:
        _row(f"{resource} self ms/trace", [times.get(resource, 0.0) for times in own])
    for kind in ("metrics", "logs", "spans"):
        _row(f"{kind} (main, recovery)", [len(getattr(part, kind)) for part in (bundle.main, bundle.recovery)])
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{'size':<30}{size:>11} bytes")


def _row(label: str, values: list[float]) -> None:
    print(f"{label:<30}" + "".join(f"{value:>11.1f}" for value in values))
