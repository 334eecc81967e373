"""A release of `catalog` caches decoded pictures by a key that is never asked for again, until its memory is used up.

The kernel then ends the task, ECS starts a new one, and every page fails until that one serves; over and over.
"""

from lab.scenarios.base import Rise, Scenario, fault_alarm, healthy_releases
from lab.scenarios.changes import BadRelease, shorter_wait_for_connections

RELEASES = healthy_releases()
BAD = BadRelease("catalog", RELEASES["catalog"], "3.4.0", "pictures in link previews", previews="cached")

SCENARIO = Scenario(
    name="memory-leak",
    folder="004-memory-leak",
    title="storefront fails more than 10 requests in 10 s, again and again",
    releases=RELEASES,
    alarm=fault_alarm("storefront", threshold=10.0, datapoints=2, of=5),
    unrelated_change=shorter_wait_for_connections,
    inject=BAD.inject,
    remediation=BAD.rollback(),
    root_cause={"resource": "catalog", "metric": None, "kind": "memory_leak"},
    bystanders=("fulfilment",),
    evidence=Rise("MemoryUtilization", "Average", by=20.0),
)
