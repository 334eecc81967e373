"""The customers: visits arrive at random at a steady mean rate, whether or not the shop keeps up.

A visit looks at the home page, at some products, and often buys, thinking in between; a refused buyer may try once more.
Measures nothing: what the recording says about latency is what the load balancer saw.
"""

import asyncio
import json
import random

from lab.services.discovery import port_of
from lab.services.task import Task, from_arguments
from lab.services.web import LOOPBACK

PRODUCTS = 2000
CUSTOMERS = 5000
GIVE_UP_S = 12.0
# Bounds the memory of the generator if the shop stops answering altogether.
VISITS_MAX = 600


class Customers:
    def __init__(self, task: Task):
        self._task = task
        self._visits: set[asyncio.Task] = set()

    async def arrive(self) -> None:
        rate = self._task.settings["visits_per_s"]
        while not self._task.stopping.is_set():
            await asyncio.sleep(random.expovariate(rate))
            if len(self._visits) < VISITS_MAX:
                visit = asyncio.create_task(self._visit())
                self._visits.add(visit)
                visit.add_done_callback(self._visits.discard)

    async def _visit(self) -> None:
        customer = random.randint(1, CUSTOMERS)
        await self._get("/")
        for _ in range(random.randint(1, 3)):
            await self._think()
            sku = _some_sku()
            await self._get(f"/product/{sku}")
        if random.random() < self._task.settings["buyers"]:
            await self._think()
            await self._buy(customer, sku)
        if random.random() < 0.25:
            await self._think()
            await self._get(f"/account/{customer}/orders")

    async def _buy(self, customer: int, sku: str) -> None:
        cart = json.dumps({"customer": customer, "sku": sku})
        status = await self._request("POST", "/checkout", cart)
        if status >= 500 and random.random() < 0.4:
            await self._think()
            await self._request("POST", "/checkout", cart)

    async def _get(self, path: str) -> None:
        await self._request("GET", path)

    async def _think(self) -> None:
        await asyncio.sleep(random.uniform(0.5, 2.5))

    async def _request(self, method: str, path: str, body: str = "") -> int:
        """The status of the answer, or 599 where none came."""
        try:
            async with asyncio.timeout(GIVE_UP_S):
                return await self._exchange(method, path, body)
        except (OSError, TimeoutError, IndexError, ValueError):
            return 599

    async def _exchange(self, method: str, path: str, body: str) -> int:
        reader, writer = await asyncio.open_connection(LOOPBACK, port_of(self._task.discovery, "shop-alb"))
        try:
            writer.write(f"{method} {path} HTTP/1.0\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
            answer = await reader.read()
            return int(answer.split(b" ", 2)[1])
        finally:
            writer.close()


def _some_sku() -> str:
    """Popular products are seen more often; a few links lead to products that are no longer sold."""
    if random.random() < 0.005:
        return "SKU-RETIRED"
    return f"SKU-{int(PRODUCTS * random.random() ** 2) + 1:05d}"


def main() -> None:
    task = from_arguments("logfmt")
    task.obey_signals()
    task.announce(0)
    asyncio.run(Customers(task).arrive())


if __name__ == "__main__":
    main()
