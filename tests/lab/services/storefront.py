"""`storefront`: the pages of the shop. Has no data of its own; asks `catalog` and `orders`."""

import json

from lab.services import web
from lab.services.logs import context
from lab.services.task import Task, from_arguments

CATALOG_TIMEOUT_S = 3.0
ORDERS_TIMEOUT_S = 6.0


class Storefront:
    def __init__(self, task: Task):
        self._task = task

    def handle(self, request: web.Request) -> web.Response:
        try:
            response = self._page(request)
        except web.PeerUnavailable as error:
            self._task.log.error("upstream unavailable", extra=context(request.span, path=request.path, error=str(error)))
            return web.Response.json(504, {"error": "upstream unavailable"})
        if response.status == 404:
            self._task.log.warning("page not found", extra=context(request.span, path=request.path))
        # Pages are logged for sampled traces only: every page view would drown the lines that matter.
        if request.span.sampled and request.method == "GET":
            self._log_access(request, response)
        return response

    def _page(self, request: web.Request) -> web.Response:
        match request.path.split("/")[1:]:
            case [""]:
                return self._catalog(request, "/products")
            case ["product", sku]:
                return self._catalog(request, f"/products/{sku}")
            case ["account", customer, "orders"]:
                return self._orders(request, "GET", f"/customers/{customer}/orders")
            case ["checkout"]:
                return self._checkout(request)
            case _:
                return web.Response.json(404, {"error": "no such page"})

    def _checkout(self, request: web.Request) -> web.Response:
        cart = request.json()
        product = self._catalog(request, f"/products/{cart['sku']}")
        if product.status != 200:
            return product
        price = json.loads(product.body)["price_jpy"]
        order = {"customer": cart["customer"], "sku": cart["sku"], "amount_jpy": price}
        response = self._orders(request, "POST", "/orders", json.dumps(order).encode())
        if response.status == 201:
            self._log_order(request, response)
            return response
        return self._refuse(request, response)

    def _refuse(self, request: web.Request, response: web.Response) -> web.Response:
        if response.status < 500:
            return response
        self._task.log.error(
            "checkout failed",
            extra=context(
                request.span,
                upstream="orders",
                upstream_status=response.status,
                reason=json.loads(response.body)["error"],
                duration_ms=round(request.span.elapsed_ms(), 1),
            ),
        )
        return web.Response.json(503, {"error": "checkout is temporarily unavailable"})

    def _catalog(self, request: web.Request, path: str) -> web.Response:
        return web.call(self._task, request.span, "catalog", "GET", path, timeout_s=CATALOG_TIMEOUT_S)

    def _orders(self, request: web.Request, method: str, path: str, body: bytes = b"") -> web.Response:
        return web.call(self._task, request.span, "orders", method, path, body=body, timeout_s=ORDERS_TIMEOUT_S)

    def _log_order(self, request: web.Request, response: web.Response) -> None:
        order = json.loads(response.body)
        fields = {"order_id": order["id"], "duration_ms": round(request.span.elapsed_ms(), 1)}
        self._task.log.info("checkout completed", extra=context(request.span, **fields))

    def _log_access(self, request: web.Request, response: web.Response) -> None:
        fields = {"method": request.method, "path": request.path, "status": response.status}
        fields["duration_ms"] = round(request.span.elapsed_ms(), 1)
        self._task.log.info("request", extra=context(request.span, **fields))


def route(method: str, path: str) -> str:
    match path.split("/")[1:]:
        case ["product", _]:
            return f"{method} /product/{{sku}}"
        case ["account", _, "orders"]:
            return f"{method} /account/{{id}}/orders"
        case _:
            return f"{method} {path}"


def main() -> None:
    task = from_arguments("json")
    web.serve(task, web.Service(Storefront(task).handle, route, web.report_application_signals(task)))


if __name__ == "__main__":
    main()
