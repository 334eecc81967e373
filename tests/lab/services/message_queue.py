"""`order-events`: a queue in the way of SQS, with its metrics: messages are sent, received in their order, and deleted.

One that was received is out of sight until it is deleted; nothing is delivered twice, as nothing here fails to delete.
"""

import secrets
import threading
import time
from collections import deque

from lab.services import web
from lab.services.task import Task, from_arguments


class Queue:
    def __init__(self, task: Task):
        self._task = task
        self._lock = threading.Lock()
        self._visible: deque[tuple[str, float, str]] = deque()
        self._in_flight: dict[str, float] = {}
        task.every_second(self._report)

    def handle(self, request: web.Request) -> web.Response:
        match request.method, request.path.split("/")[1:]:
            case "POST", ["messages"]:
                return self._send(request.body.decode())
            case "GET", ["messages"]:
                return self._receive()
            case "POST", ["deleted", message]:
                return self._delete(message)
            case _:
                return web.Response.json(404, {"error": "no such action"})

    def _send(self, body: str) -> web.Response:
        with self._lock:
            self._visible.append((secrets.token_hex(8), time.time(), body))
        self._task.telemetry.put(NumberOfMessagesSent=1)
        return web.Response.json(200, {})

    def _receive(self) -> web.Response:
        with self._lock:
            if not self._visible:
                return web.Response.json(200, None)
            message, sent_at, body = self._visible.popleft()
            self._in_flight[message] = sent_at
        return web.Response.json(200, {"id": message, "body": body})

    def _delete(self, message: str) -> web.Response:
        with self._lock:
            self._in_flight.pop(message, None)
        self._task.telemetry.put(NumberOfMessagesDeleted=1)
        return web.Response.json(200, {})

    def _report(self) -> None:
        with self._lock:
            waiting = len(self._visible)
            sent = [*self._in_flight.values(), *(sent_at for _, sent_at, _ in self._visible)]
        # Whole seconds, as SQS counts them.
        age = int(time.time() - min(sent)) if sent else 0
        self._task.telemetry.put(ApproximateNumberOfMessagesVisible=waiting, ApproximateAgeOfOldestMessage=age)


def main() -> None:
    task = from_arguments("logfmt")
    # What SQS reports are its messages, not requests.
    web.serve(task, web.Service(Queue(task).handle, web.first_step, lambda status, duration_ms: None))


if __name__ == "__main__":
    main()
