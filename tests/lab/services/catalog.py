"""`catalog`: the products, read from `orders-db`. Never writes."""

from lab.services import web
from lab.services.database import Database
from lab.services.logs import context
from lab.services.pricing import PRICES
from lab.services.task import Task, from_arguments

PREVIEW_PIXELS = 320
FEATURED = "SELECT sku, name, price_jpy FROM product ORDER BY featured_rank LIMIT %s"
ONE = "SELECT p.sku, p.name, p.price_jpy, p.featured_rank, s.quantity FROM product p JOIN stock s USING (sku) WHERE p.sku = %s"


class Catalog:
    def __init__(self, task: Task):
        self._task = task
        self._database = Database(task)
        # Decoded pictures for link previews, so that the next look at the same page need not decode again.
        self._previews: dict[str, bytes] = {}
        self._price = PRICES[task.settings["prices"]]

    def handle(self, request: web.Request) -> web.Response:
        response = self._products(request)
        if request.span.sampled:
            self._log_access(request, response)
        return response

    def _products(self, request: web.Request) -> web.Response:
        match request.path.split("/")[1:]:
            case ["products"]:
                return self._featured(request)
            case ["products", sku]:
                return self._one(request, sku)
            case _:
                return web.Response.json(404, {"error": "no such resource"})

    def _featured(self, request: web.Request) -> web.Response:
        limit = self._task.settings["featured_products"]
        rows = self._database.query(request.span, "SELECT product", FEATURED, (limit,))
        return web.Response.json(200, [{"sku": sku, "name": name, "price_jpy": price} for sku, name, price in rows])

    def _one(self, request: web.Request, sku: str) -> web.Response:
        rows = self._database.query(request.span, "SELECT product", ONE, (sku,))
        if not rows:
            return web.Response.json(404, {"error": "no such product"})
        sku, name, list_price, rank, quantity = rows[0]
        price = self._price(list_price, rank)
        if self._task.settings["previews"] == "cached":
            # The key has the request's id in it, so nothing is ever found again.
            self._previews[f"{sku}/{request.span.id}"] = _decode_picture(sku)
        return web.Response.json(200, {"sku": sku, "name": name, "price_jpy": price, "in_stock": quantity > 0})

    def _log_access(self, request: web.Request, response: web.Response) -> None:
        fields = {"path": request.path, "status": response.status, "dur": f"{request.span.elapsed_ms():.1f}ms"}
        self._task.log.info(f"{request.method} served", extra=context(request.span, **fields))


def _decode_picture(sku: str) -> bytes:
    """A picture's pixels: RGBA, and of one colour, as the products are made up."""
    return sku[-4:].encode() * (PREVIEW_PIXELS * PREVIEW_PIXELS)


def route(method: str, path: str) -> str:
    return f"{method} /products" if path == "/products" else f"{method} /products/{{sku}}"


def main() -> None:
    task = from_arguments("logfmt")
    web.serve(task, web.Service(Catalog(task).handle, route, web.report_application_signals(task)))


if __name__ == "__main__":
    main()
