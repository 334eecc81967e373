"""`fulfilment`: takes orders from the queue, one after the other, and packs them."""

import json
import time
from collections import deque

from lab.services import web
from lab.services.logs import context
from lab.services.packing import METHODS
from lab.services.task import Task, from_arguments
from lab.services.tracing import Span

QUEUE = "order-events"
QUEUE_TIMEOUT_S = 3.0
SHELF_PARCELS = 76
IDLE_S = 0.1
# The printer is another machine.
PRINT_LABEL_S = 0.025
# Asking for messages is not traced: a trace begins with a message.
NOT_SAMPLED = f"00-{'0' * 32}-{'0' * 16}-00"


class Fulfilment:
    def __init__(self, task: Task):
        self._task = task
        self._pack = METHODS[task.settings["packing"]]
        self._shelf: deque[int] = deque(maxlen=SHELF_PARCELS)
        self._report = web.report_application_signals(task)

    def run(self) -> None:
        while not self._task.stopping.is_set():
            with self._task.tracer.server("receive", NOT_SAMPLED) as poll:
                message = self._call(poll, "GET", "/messages")
            if message is None:
                self._task.stopping.wait(IDLE_S)
                continue
            with self._task.tracer.server("process order", None) as span:
                self._process(span, json.loads(message["body"]))
                self._call(span, "POST", f"/deleted/{message['id']}")
                self._report(200, span.elapsed_ms())

    def _process(self, span: Span, order: dict) -> None:
        grams = 200 + order["customer"] * 7919 % 9000
        load = self._pack(self._shelf, grams)
        self._shelf.append(grams)
        with span.child("print label"):
            time.sleep(PRINT_LABEL_S)
        packed = {"order_id": order["id"], "crate_grams": load, "dur": f"{span.elapsed_ms():.1f}ms"}
        self._task.log.info("order packed", extra=context(span, **packed))

    def _call(self, span: Span, method: str, path: str) -> dict | None:
        answer = web.call(self._task, span, QUEUE, method, path, timeout_s=QUEUE_TIMEOUT_S)
        return json.loads(answer.body)


def main() -> None:
    task = from_arguments("logfmt")
    task.obey_signals()
    task.log.info("started", extra=context(version=task.version))
    task.announce(0)
    Fulfilment(task).run()
    task.log.info("stopped", extra=context(version=task.version))


if __name__ == "__main__":
    main()
