"""A release of `orders` numbers invoices under a row lock and renders the invoice while holding it.

Checkouts queue behind one row, each holding a pool connection meanwhile, so the small pool runs dry: most of the time a
customer waits is spent inside `orders` waiting for a connection, a minority in the database waiting for the lock.
"""

from lab.scenarios.base import Scenario, healthy_releases, response_time_alarm
from lab.scenarios.changes import BadRelease, fewer_featured_products

RELEASES = healthy_releases()
BAD = BadRelease("orders", RELEASES["orders"], "1.9.0", "invoice numbers without gaps", invoice_numbers="gapless")

SCENARIO = Scenario(
    name="lock-contention",
    folder="001-lock-contention",
    title="shop-alb p99 response time above 1 s",
    releases=RELEASES,
    alarm=response_time_alarm(threshold_s=1.0),
    unrelated_change=fewer_featured_products,
    inject=BAD.inject,
    remediation=BAD.rollback(),
    root_cause={"resource": "orders", "metric": None, "kind": "lock_contention"},
    bystanders=("catalog",),
)
