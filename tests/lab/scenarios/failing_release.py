"""A release of `catalog` takes a campaign's discount off, from a table that lacks the tiers of the less popular products.

Every look at such a product fails with a `KeyError` and its stack trace; the home page and popular products are fine.
"""

from lab.scenarios.base import Rise, Scenario, fault_alarm, healthy_releases
from lab.scenarios.changes import BadRelease, shorter_wait_for_connections

RELEASES = healthy_releases()
BAD = BadRelease("catalog", RELEASES["catalog"], "3.3.0", "prices of the winter campaign", prices="campaign")

SCENARIO = Scenario(
    name="failing-release",
    folder="002-failing-release",
    title="storefront fails more than 10 requests in 10 s",
    releases=RELEASES,
    alarm=fault_alarm("storefront", threshold=10.0),
    unrelated_change=shorter_wait_for_connections,
    inject=BAD.inject,
    remediation=BAD.rollback(),
    root_cause={"resource": "catalog", "metric": None, "kind": "code_error"},
    bystanders=("orders",),
    evidence=Rise("Fault", "Sum", by=20.0),
)
