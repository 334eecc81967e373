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
class Rise:
    """A metric of the root cause whose mean in the fault is at least so much above that of the healthy phase."""

    metric: str
    stat: str
    by: float


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
    # What must stand out at the root cause: its own time in the traces, or, where that is not what it does, a metric.
    evidence: Rise | None = None


def healthy_releases() -> dict[str, Release]:
    """The shop as it works well, in the order in which it starts."""
    return {
        model.PAYMENTS: Release("of its own", {"bank_answers_within_s": [0.04, 0.12]}),
        "catalog": Release(
            "3.2.1",
            {"pool_size": 4, "pool_timeout_s": 3.0, "featured_products": 24, "prices": "list", "previews": "none"},
        ),
        "orders": Release(
            "1.8.3", {"pool_size": 3, "pool_timeout_s": 3.0, "invoice_numbers": "sequence", "payment": "at_once"}
        ),
        model.QUEUE: Release("of AWS"),
        "fulfilment": Release("2.0.4", {"packing": "next_fit"}),
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


def fault_alarm(service: str, threshold: float, datapoints: int = 3, of: int = 3) -> AlarmSpec:
    """The alarm on requests that a service failed, as its own metric in Application Signals counts them."""
    return AlarmSpec(
        name=f"{service}-faults",
        description=f"Requests that {service} failed. owner: team-shop",
        resource=service,
        namespace="ApplicationSignals",
        metric="Fault",
        stat="Sum",
        dimensions={"Service": service, "Environment": model.ENVIRONMENT},
        threshold=threshold,
        datapoints=datapoints,
        evaluation_periods=of,
    )


def queue_age_alarm(threshold_s: float) -> AlarmSpec:
    """The alarm on orders that wait too long for being packed."""
    return AlarmSpec(
        name="order-events-age",
        description="Age of the oldest order that is not packed. owner: team-fulfilment",
        resource=model.QUEUE,
        namespace="AWS/SQS",
        metric="ApproximateAgeOfOldestMessage",
        stat="Maximum",
        dimensions={"QueueName": model.QUEUE},
        threshold=threshold_s,
    )
