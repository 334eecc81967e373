"""`shop-alb`: passes each request on to the storefront and reports what an Application Load Balancer would report."""

import threading
import time

from lab.services import web
from lab.services.task import Task, from_arguments

TARGET = "storefront"
# Longer than any time limit further in, so that it is the application that decides how a slow request ends.
TARGET_TIMEOUT_S = 10.0


class LoadBalancer:
    def __init__(self, task: Task):
        self._task = task
        self._lock = threading.Lock()
        self._active = 0
        task.every_second(lambda: task.telemetry.put(ActiveConnectionCount=self._active))

    def handle(self, request: web.Request) -> web.Response:
        self._count_active(+1)
        try:
            return self._forward(request)
        finally:
            self._count_active(-1)

    def _forward(self, request: web.Request) -> web.Response:
        began = time.perf_counter()
        try:
            response = web.call(
                self._task, request.span, TARGET, request.method, request.path, body=request.body, timeout_s=TARGET_TIMEOUT_S
            )
        except web.PeerUnavailable:
            self._task.telemetry.put(RequestCount=1, HTTPCode_ELB_5XX_Count=1)
            return web.Response.json(504, {"error": "gateway timeout"})
        elapsed_s = round(time.perf_counter() - began, 6)
        code = f"HTTPCode_Target_{response.status // 100}XX_Count"
        self._task.telemetry.put(RequestCount=1, TargetResponseTime=elapsed_s, **{code: 1})
        return response

    def _count_active(self, change: int) -> None:
        with self._lock:
            self._active += change


def main() -> None:
    task = from_arguments("json")
    # Its numbers come from the forwarding, not from the server: a load balancer is not in Application Signals.
    web.serve(task, web.Service(LoadBalancer(task).handle, web.first_step, lambda status, duration_ms: None))


if __name__ == "__main__":
    main()
