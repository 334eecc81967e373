"""The payment provider, another company, gets slow: most authorisations take seconds, some longer than `orders` waits.

Nothing was changed in the shop, and the provider's side is not visible: only the calls to it are.
"""

from lab.scenarios.base import Remediation, Scenario, healthy_releases, response_time_alarm
from lab.scenarios.changes import OPERATOR, fewer_featured_products
from lab.shop import model
from lab.shop.shop import Shop

BANK_IN_TROUBLE_S = [1.4, 5.4]


def inject(shop: Shop) -> None:
    shop.happens_elsewhere(model.PAYMENTS, bank_answers_within_s=BANK_IN_TROUBLE_S)


def charge_later(shop: Shop) -> None:
    shop.reconfigure("orders", actor=OPERATOR, summary="payment at_once -> later", payment="later")


SCENARIO = Scenario(
    name="slow-third-party",
    folder="003-slow-third-party",
    title="shop-alb p99 response time above 1 s",
    releases=healthy_releases(),
    alarm=response_time_alarm(threshold_s=1.0),
    unrelated_change=fewer_featured_products,
    inject=inject,
    remediation=Remediation(
        resource="orders",
        action="configuration",
        document="Shop-SetPaymentMethod",
        summary="orders charges later instead of waiting for the payment provider",
        apply=charge_later,
    ),
    root_cause={"resource": model.PAYMENTS, "metric": None, "kind": "slow_third_party"},
    bystanders=("catalog",),
)
