"""Evaluates a CloudWatch alarm on the recorded bins and words its transitions as CloudWatch does in its SNS message.

Only what the lab's alarms need: greater than a threshold, M out of N datapoints, missing data as missing.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from lab.recorder.bins import PERIOD_S, Bins
from lab.shop import model

# How long after its end a bin is evaluated, so that everything in it was read.
INGESTION_DELAY_S = 2.0


@dataclass(frozen=True)
class AlarmSpec:
    name: str
    description: str
    resource: str
    namespace: str
    metric: str
    stat: str
    dimensions: dict[str, str]
    threshold: float
    datapoints: int = 3
    evaluation_periods: int = 3


class Alarm:
    """One alarm and its state. It starts as a new alarm does, with insufficient data."""

    def __init__(self, spec: AlarmSpec, now: float):
        self.spec = spec
        self.state = "INSUFFICIENT_DATA"
        self.transitions: list[dict] = []
        self._configured_at = now
        self._datapoints: list[tuple[int, float]] = []

    def evaluate(self, bins: Bins, bin_start: int, now: float) -> None:
        """Takes the bin in and notes a transition if it causes one."""
        value = bins.statistic(self.spec.resource, self.spec.metric, self.spec.stat, bin_start)
        if value is None:
            return
        self._datapoints = [(bin_start, value), *self._datapoints][: self.spec.evaluation_periods]
        over = [point for point in self._datapoints if point[1] > self.spec.threshold]
        state = "ALARM" if len(over) >= self.spec.datapoints else "OK"
        if state != self.state:
            self.transitions.append(self._transition(state, now))
            self.state = state

    def _transition(self, state: str, now: float) -> dict:
        spec = self.spec
        message = {
            "AlarmName": spec.name,
            "AlarmDescription": spec.description,
            "AWSAccountId": model.ACCOUNT,
            "AlarmConfigurationUpdatedTimestamp": _aws_time(self._configured_at),
            "NewStateValue": state,
            "NewStateReason": self._reason(state),
            "StateChangeTime": _aws_time(now),
            "Region": model.REGION_NAME,
            "AlarmArn": model.alarm_arn(spec.name),
            "OldStateValue": self.state,
            "OKActions": [model.topic_arn("prod-alarms")],
            "AlarmActions": [model.topic_arn("prod-alarms")],
            "InsufficientDataActions": [],
            "Trigger": self._trigger(),
        }
        return {"t": int(now * 1000)} | message

    def _reason(self, state: str) -> str:
        spec = self.spec
        within = [point for point in self._datapoints if point[1] <= spec.threshold]
        over = [point for point in self._datapoints if point[1] > spec.threshold]
        shown = over if state == "ALARM" else within
        values = ", ".join(f"{value} ({_reason_time(at)})" for at, value in shown)
        verb = "were" if len(shown) > 1 else "was"
        verb += "" if state == "ALARM" else " not"
        needed = spec.datapoints if state == "ALARM" else spec.evaluation_periods - spec.datapoints + 1
        return (
            f"Threshold Crossed: {len(shown)} out of the last {len(self._datapoints)} datapoints [{values}] {verb} greater than"
            f" the threshold ({spec.threshold}) (minimum {needed} datapoint{'s' if needed > 1 else ''}"
            f" for {self.state} -> {state} transition)."
        )

    def _trigger(self) -> dict:
        spec = self.spec
        if spec.stat.startswith("p"):
            statistic = {"StatisticType": "ExtendedStatistic", "ExtendedStatistic": spec.stat}
        else:
            statistic = {"StatisticType": "Statistic", "Statistic": spec.stat.upper()}
        return {
            "MetricName": spec.metric,
            "Namespace": spec.namespace,
            **statistic,
            "Unit": None,
            "Dimensions": [{"value": value, "name": name} for name, value in spec.dimensions.items()],
            "Period": PERIOD_S,
            "EvaluationPeriods": spec.evaluation_periods,
            "DatapointsToAlarm": spec.datapoints,
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": spec.threshold,
            "TreatMissingData": "missing",
            "EvaluateLowSampleCountPercentile": "",
        }


def _aws_time(seconds: float) -> str:
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"


def _reason_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%d/%m/%y %H:%M:%S")
