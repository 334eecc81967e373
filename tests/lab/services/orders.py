"""`orders`: takes orders, has them paid, hands them on to be packed, and lists a customer's last ones."""

import json

from lab.services import payment, web
from lab.services.checkout import TRANSACTIONS, OutOfStock
from lab.services.database import Database
from lab.services.logs import context
from lab.services.pool import PoolTimeout
from lab.services.task import Task, from_arguments

EVENTS = "order-events"
EVENTS_TIMEOUT_S = 3.0
RECENT = "SELECT id, sku, amount_jpy, invoice FROM orders WHERE customer = %s ORDER BY id DESC LIMIT 5"


class Orders:
    def __init__(self, task: Task):
        self._task = task
        self._database = Database(task)
        self._checkout = TRANSACTIONS[task.settings["invoice_numbers"]]

    def handle(self, request: web.Request) -> web.Response:
        try:
            return self._answer(request)
        except PoolTimeout:
            failure = f"{request.method} {request.path} failed after {request.span.elapsed_ms():.0f} ms"
            self._task.log.exception(failure, extra=context(request.span))
            return web.Response.json(503, {"error": "database connection pool exhausted"})
        except web.PeerUnavailable:
            failure = f"{request.method} {request.path} failed after {request.span.elapsed_ms():.0f} ms"
            self._task.log.exception(failure, extra=context(request.span))
            return web.Response.json(503, {"error": "a service that orders needs did not answer"})

    def _answer(self, request: web.Request) -> web.Response:
        match request.method, request.path.split("/")[1:]:
            case "POST", ["orders"]:
                return self._take(request)
            case "GET", ["customers", customer, "orders"]:
                return self._recent(request, int(customer))
            case _:
                return web.Response.json(404, {"error": "no such resource"})

    def _take(self, request: web.Request) -> web.Response:
        order = request.json()
        if not payment.METHODS[self._task.settings["payment"]](self._task, request.span, order):
            return web.Response.json(402, {"error": "card declined"})
        try:
            order_id = self._checkout(self._database, request.span, order)
        except OutOfStock:
            return web.Response.json(409, {"error": "out of stock"})
        event = json.dumps({"id": order_id, "customer": order["customer"], "sku": order["sku"]}).encode()
        web.call(self._task, request.span, EVENTS, "POST", "/messages", body=event, timeout_s=EVENTS_TIMEOUT_S)
        placed = f"order {order_id} placed for customer {order['customer']}: {order['sku']}, {order['amount_jpy']} JPY"
        self._task.log.info(f"{placed}, {request.span.elapsed_ms():.1f} ms", extra=context(request.span))
        return web.Response.json(201, {"id": order_id})

    def _recent(self, request: web.Request, customer: int) -> web.Response:
        rows = self._database.query(request.span, "SELECT orders", RECENT, (customer,))
        names = ("id", "sku", "amount_jpy", "invoice")
        return web.Response.json(200, [dict(zip(names, row, strict=True)) for row in rows])


def route(method: str, path: str) -> str:
    return f"{method} /orders" if path == "/orders" else f"{method} /customers/{{id}}/orders"


def main() -> None:
    task = from_arguments("bracketed")
    web.serve(task, web.Service(Orders(task).handle, route, web.report_application_signals(task)))


if __name__ == "__main__":
    main()
