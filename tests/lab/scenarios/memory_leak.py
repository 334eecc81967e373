"""A release of `catalog` caches decoded pictures by a key that is never asked for again, until its memory is used up.

The kernel then ends the task, ECS starts a new one, and every page fails until that one serves; over and over.
"""

from dataclasses import replace

from lab.scenarios.base import Remediation, Rise, Scenario, fault_alarm, healthy_releases
from lab.shop.shop import Shop

RELEASES = healthy_releases()
FAULTY = replace(RELEASES["catalog"].with_settings(previews="cached"), version="3.4.0")
DEPLOYER = "arn:aws:sts::111122223333:assumed-role/ci-deploy/catalog-pipeline"
OPERATOR = "arn:aws:sts::111122223333:assumed-role/operator/on-call"


def unrelated_change(shop: Shop) -> None:
    shop.reconfigure("orders", actor=OPERATOR, summary="wait for a connection at most 3 s -> 2.5 s", pool_timeout_s=2.5)


def inject(shop: Shop) -> None:
    shop.deploy("catalog", FAULTY, actor=DEPLOYER, summary="catalog 3.2.1 -> 3.4.0: pictures in link previews")


def roll_back(shop: Shop) -> None:
    shop.deploy("catalog", RELEASES["catalog"], actor=OPERATOR, summary="catalog 3.4.0 -> 3.2.1: rollback")


SCENARIO = Scenario(
    name="memory-leak",
    folder="004-memory-leak",
    title="storefront fails more than 10 requests in 10 s, again and again",
    releases=RELEASES,
    alarm=fault_alarm("storefront", threshold=10.0, datapoints=2, of=5),
    unrelated_change=unrelated_change,
    inject=inject,
    remediation=Remediation(
        resource="catalog",
        action="rollback",
        document="AWSResilienceHub-ScaleECSServiceSOP_2020-04-01",
        summary="catalog rolled back from 3.4.0 to 3.2.1",
        apply=roll_back,
    ),
    root_cause={"resource": "catalog", "metric": None, "kind": "memory_leak"},
    bystanders=("fulfilment",),
    evidence=Rise("MemoryUtilization", "Average", by=20.0),
)
