"""A release of `catalog` takes a campaign's discount off, from a table that lacks the tiers of the less popular products.

Every look at such a product fails with a `KeyError` and its stack trace; the home page and popular products are fine.
"""

from dataclasses import replace

from lab.scenarios.base import Remediation, Rise, Scenario, fault_alarm, healthy_releases
from lab.shop.shop import Shop

RELEASES = healthy_releases()
FAULTY = replace(RELEASES["catalog"].with_settings(prices="campaign"), version="3.3.0")
DEPLOYER = "arn:aws:sts::111122223333:assumed-role/ci-deploy/catalog-pipeline"
OPERATOR = "arn:aws:sts::111122223333:assumed-role/operator/on-call"


def unrelated_change(shop: Shop) -> None:
    shop.reconfigure("orders", actor=OPERATOR, summary="wait for a connection at most 3 s -> 2.5 s", pool_timeout_s=2.5)


def inject(shop: Shop) -> None:
    shop.deploy("catalog", FAULTY, actor=DEPLOYER, summary="catalog 3.2.1 -> 3.3.0: prices of the winter campaign")


def roll_back(shop: Shop) -> None:
    shop.deploy("catalog", RELEASES["catalog"], actor=OPERATOR, summary="catalog 3.3.0 -> 3.2.1: rollback")


SCENARIO = Scenario(
    name="failing-release",
    folder="002-failing-release",
    title="storefront fails more than 10 requests in 10 s",
    releases=RELEASES,
    alarm=fault_alarm("storefront", threshold=10.0),
    unrelated_change=unrelated_change,
    inject=inject,
    remediation=Remediation(
        resource="catalog",
        action="rollback",
        document="AWSResilienceHub-ScaleECSServiceSOP_2020-04-01",
        summary="catalog rolled back from 3.3.0 to 3.2.1",
        apply=roll_back,
    ),
    root_cause={"resource": "catalog", "metric": None, "kind": "code_error"},
    bystanders=("orders",),
    evidence=Rise("Fault", "Sum", by=20.0),
)
