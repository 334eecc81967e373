"""What a scenario says about itself. The course of a run, the recording and the checks are the same for all."""

from collections.abc import Callable
from dataclasses import dataclass

from lab.recorder.alarm import AlarmSpec
from lab.shop import model
from lab.shop.shop import Release, Shop


@dataclass(frozen=True)
class Remediation:
    """What ends the incident."""

    resource: str
    action: str
    # The Automation document whose run it stands for in a demo.
    document: str
    summary: str
    apply: Callable[[Shop], None]


@dataclass(frozen=True)
class Scenario:
    name: str
    # The bundle's folder under `tests/incidents/`.
    folder: str
    # What an operator reads; it must not give the cause away.
    title: str
    # What runs in the healthy phase.
    releases: dict[str, Release]
    alarm: AlarmSpec
    # A harmless change early in the healthy phase, so that not every change is a cause.
    unrelated_change: Callable[[Shop], None]
    inject: Callable[[Shop], None]
    remediation: Remediation
    root_cause: dict
    # Resources that should hardly feel the fault.
    bystanders: tuple[str, ...]


def healthy_releases() -> dict[str, Release]:
    """The shop as it works well, in the order in which it starts."""
    return {
        "catalog": Release("3.2.1", {"pool_size": 4, "pool_timeout_s": 3.0, "featured_products": 24}),
        "orders": Release("1.8.3", {"pool_size": 3, "pool_timeout_s": 3.0, "invoice_numbers": "sequence"}),
        "storefront": Release("5.14.0"),
        "shop-alb": Release("1"),
        "load": Release("1", {"visits_per_s": 8.0, "buyers": 0.72}),
    }


def response_time_alarm(threshold_s: float) -> AlarmSpec:
    """The alarm on what the customers feel."""
    return AlarmSpec(
        name="shop-alb-p99-response-time",
        description="p99 of the shop's response time at the load balancer. owner: team-shop",
        resource="shop-alb",
        namespace="AWS/ApplicationELB",
        metric="TargetResponseTime",
        stat="p99",
        dimensions={"LoadBalancer": model.LOAD_BALANCER},
        threshold=threshold_s,
    )
