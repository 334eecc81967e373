"""A release of `fulfilment` tries all combinations of parcels for the fullest crate, and packs slower than orders come in.

Customers notice nothing; the orders wait in the queue, longer and longer.
"""

from dataclasses import replace

from lab.scenarios.base import Remediation, Scenario, healthy_releases, queue_age_alarm
from lab.shop.shop import Shop

RELEASES = healthy_releases()
FAULTY = replace(RELEASES["fulfilment"].with_settings(packing="fullest"), version="2.1.0")
DEPLOYER = "arn:aws:sts::111122223333:assumed-role/ci-deploy/fulfilment-pipeline"
OPERATOR = "arn:aws:sts::111122223333:assumed-role/operator/on-call"


def unrelated_change(shop: Shop) -> None:
    shop.reconfigure(
        "catalog",
        actor="arn:aws:sts::111122223333:assumed-role/merchandising/campaign",
        summary="featured products on the home page 24 -> 20",
        featured_products=20,
    )


def inject(shop: Shop) -> None:
    shop.deploy("fulfilment", FAULTY, actor=DEPLOYER, summary="fulfilment 2.0.4 -> 2.1.0: fuller crates")


def roll_back(shop: Shop) -> None:
    shop.deploy("fulfilment", RELEASES["fulfilment"], actor=OPERATOR, summary="fulfilment 2.1.0 -> 2.0.4: rollback")


SCENARIO = Scenario(
    name="queue-backlog",
    folder="005-queue-backlog",
    title="orders wait longer than 5 s for being packed",
    releases=RELEASES,
    alarm=queue_age_alarm(threshold_s=5.0),
    unrelated_change=unrelated_change,
    inject=inject,
    remediation=Remediation(
        resource="fulfilment",
        action="rollback",
        document="AWSResilienceHub-ScaleECSServiceSOP_2020-04-01",
        summary="fulfilment rolled back from 2.1.0 to 2.0.4",
        apply=roll_back,
    ),
    root_cause={"resource": "fulfilment", "metric": None, "kind": "queue_backlog"},
    bystanders=("catalog", "orders"),
)
