"""Which metric series a bundle holds: CloudWatch's namespaces, names, statistics, units and dimensions.

A table, and the loop that fills it from the bins. A scenario with further metrics adds rows, not code.
"""

from dataclasses import dataclass

from lab.recorder.bins import PERIOD_S, Bins
from lab.shop import model


@dataclass(frozen=True)
class Series:
    resource: str
    namespace: str
    name: str
    stat: str
    unit: str | None
    dimensions: dict[str, str]


def all_series() -> list[Series]:
    series = _of("shop-alb", "AWS/ApplicationELB", {"LoadBalancer": model.LOAD_BALANCER}, LOAD_BALANCER)
    for service in model.ECS_SERVICES:
        series += _of(service, "AWS/ECS", {"ClusterName": model.CLUSTER, "ServiceName": service}, ECS)
        dimensions = {"Service": service, "Environment": model.ENVIRONMENT}
        series += _of(service, "ApplicationSignals", dimensions, APPLICATION_SIGNALS)
    for service in ("catalog", "orders"):
        series += _of(service, f"Shop/{service.capitalize()}", {"Service": service}, CONNECTION_POOL)
    series += _of(model.QUEUE, "AWS/SQS", {"QueueName": model.QUEUE}, QUEUE)
    return series + _of("orders-db", "AWS/RDS", {"DBInstanceIdentifier": model.DB_INSTANCE}, DATABASE)


def points(bins: Bins, series: Series, start: int, end: int) -> list[list]:
    """The points of the bins that lie wholly between `start` and `end`; null where nothing was reported."""
    first = -(-start // PERIOD_S) * PERIOD_S
    starts = range(first, end - PERIOD_S + 1, PERIOD_S)
    return [[at, bins.statistic(series.resource, series.name, series.stat, at)] for at in starts]


LOAD_BALANCER = (
    ("RequestCount", "Sum", "Count"),
    ("TargetResponseTime", "Average", "Seconds"),
    ("TargetResponseTime", "p99", "Seconds"),
    ("HTTPCode_Target_2XX_Count", "Sum", "Count"),
    ("HTTPCode_Target_4XX_Count", "Sum", "Count"),
    ("HTTPCode_Target_5XX_Count", "Sum", "Count"),
    ("HTTPCode_ELB_5XX_Count", "Sum", "Count"),
    ("ActiveConnectionCount", "Average", "Count"),
)
ECS = (
    ("CPUUtilization", "Average", "Percent"),
    ("MemoryUtilization", "Average", "Percent"),
)
APPLICATION_SIGNALS = (
    ("RequestCount", "Sum", "Count"),
    ("Latency", "Average", "Milliseconds"),
    ("Latency", "p99", "Milliseconds"),
    ("Fault", "Sum", "Count"),
    ("Error", "Sum", "Count"),
)
CONNECTION_POOL = (
    ("DBPoolConnectionsInUse", "Average", "Count"),
    ("DBPoolConnectionsInUse", "Maximum", "Count"),
    ("DBPoolRequestsWaiting", "Average", "Count"),
    ("DBPoolWaitTime", "Average", "Milliseconds"),
    ("DBPoolWaitTime", "p99", "Milliseconds"),
    ("DBPoolTimeouts", "Sum", "Count"),
)
QUEUE = (
    ("ApproximateAgeOfOldestMessage", "Maximum", "Seconds"),
    ("ApproximateNumberOfMessagesVisible", "Average", "Count"),
    ("NumberOfMessagesSent", "Sum", "Count"),
    ("NumberOfMessagesDeleted", "Sum", "Count"),
)
DATABASE = (
    ("CPUUtilization", "Average", "Percent"),
    ("DatabaseConnections", "Average", "Count"),
    ("DBLoad", "Average", "None"),
    ("DBLoadCPU", "Average", "None"),
    ("DBLoadNonCPU", "Average", "None"),
    ("ReadIOPS", "Average", "Count/Second"),
    ("WriteIOPS", "Average", "Count/Second"),
    ("db.Transactions.xact_commit.avg", "Average", "Count/Second"),
    ("db.Transactions.blocked_transactions.avg", "Average", "Count"),
)


def _of(resource: str, namespace: str, dimensions: dict[str, str], rows: tuple) -> list[Series]:
    return [Series(resource, namespace, name, stat, unit, dimensions) for name, stat, unit in rows]
