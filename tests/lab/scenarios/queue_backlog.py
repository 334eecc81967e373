"""A release of `fulfilment` tries all combinations of parcels for the fullest crate, and packs slower than orders come in.

Customers notice nothing; the orders wait in the queue, longer and longer.
"""

from lab.scenarios.base import Scenario, healthy_releases, queue_age_alarm
from lab.scenarios.changes import BadRelease, fewer_featured_products

RELEASES = healthy_releases()
BAD = BadRelease("fulfilment", RELEASES["fulfilment"], "2.1.0", "fuller crates", packing="fullest")

SCENARIO = Scenario(
    name="queue-backlog",
    folder="005-queue-backlog",
    title="orders wait longer than 5 s for being packed",
    releases=RELEASES,
    alarm=queue_age_alarm(threshold_s=5.0),
    unrelated_change=fewer_featured_products,
    inject=BAD.inject,
    remediation=BAD.rollback(),
    root_cause={"resource": "fulfilment", "metric": None, "kind": "queue_backlog"},
    bystanders=("catalog", "orders"),
)
