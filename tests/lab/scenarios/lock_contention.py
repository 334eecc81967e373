"""A release of `orders` numbers invoices under a row lock and renders the invoice while holding it.

Checkouts queue behind one row, each holding a pool connection meanwhile, so the small pool runs dry: most of the time a
customer waits is spent inside `orders` waiting for a connection, a minority in the database waiting for the lock.
"""

from dataclasses import replace

from lab.scenarios.base import Remediation, Scenario, healthy_releases, response_time_alarm
from lab.shop.shop import Shop

RELEASES = healthy_releases()
FAULTY = replace(RELEASES["orders"].with_settings(invoice_numbers="gapless"), version="1.9.0")
DEPLOYER = "arn:aws:sts::111122223333:assumed-role/ci-deploy/orders-pipeline"
OPERATOR = "arn:aws:sts::111122223333:assumed-role/operator/on-call"


def unrelated_change(shop: Shop) -> None:
    shop.reconfigure(
        "catalog",
        actor="arn:aws:sts::111122223333:assumed-role/merchandising/campaign",
        summary="featured products on the home page 24 -> 20",
        featured_products=20,
    )


def inject(shop: Shop) -> None:
    shop.deploy("orders", FAULTY, actor=DEPLOYER, summary="orders 1.8.3 -> 1.9.0: invoice numbers without gaps")


def roll_back(shop: Shop) -> None:
    shop.deploy("orders", RELEASES["orders"], actor=OPERATOR, summary="orders 1.9.0 -> 1.8.3: rollback")


SCENARIO = Scenario(
    name="lock-contention",
    folder="001-lock-contention",
    title="shop-alb p99 response time above 1 s",
    releases=RELEASES,
    alarm=response_time_alarm(threshold_s=1.0),
    unrelated_change=unrelated_change,
    inject=inject,
    remediation=Remediation(
        resource="orders",
        action="rollback",
        document="AWSResilienceHub-ScaleECSServiceSOP_2020-04-01",
        summary="orders rolled back from 1.9.0 to 1.8.3",
        apply=roll_back,
    ),
    root_cause={"resource": "orders", "metric": None, "kind": "lock_contention"},
    bystanders=("catalog",),
)
