"""How `orders` gets its money: authorised at once by the payment provider, or charged later by a nightly run."""

import json

from lab.services import web
from lab.services.task import Task
from lab.services.tracing import Span

PROVIDER = "payments.example"
PROVIDER_TIMEOUT_S = 5.0


def at_once(task: Task, span: Span, order: dict) -> bool:
    """Asks the provider; whether the card was accepted."""
    charge = json.dumps({"amount": order["amount_jpy"], "currency": "JPY"}).encode()
    answer = web.call_third_party(
        task, span, PROVIDER, "POST", "/v1/authorisations", body=charge, timeout_s=PROVIDER_TIMEOUT_S
    )
    return answer.status == 201


def later(task: Task, span: Span, order: dict) -> bool:
    """Takes the order on trust; the nightly run charges the card."""
    return True


METHODS = {"at_once": at_once, "later": later}
