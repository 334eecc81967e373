"""HTTP between the services, both sides: spans, `traceparent`, and the request metrics that Application Signals would report.

HTTP/1.0 without keep-alive: a connection a request keeps the services free of idle threads, and on loopback a
connection costs a fraction of a millisecond.
"""

import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lab.services import logs
from lab.services.discovery import port_of
from lab.services.task import Task
from lab.services.tracing import Span

LOOPBACK = "127.0.0.1"
BODY_BYTES_MAX = 64 * 1024


@dataclass
class Request:
    method: str
    path: str
    body: bytes
    span: Span

    def json(self) -> dict:
        return json.loads(self.body)


@dataclass
class Response:
    status: int
    body: bytes

    @classmethod
    def json(cls, status: int, value) -> "Response":
        return cls(status, json.dumps(value).encode())


class PeerUnavailable(Exception):
    """A call got no answer: refused, reset or timed out."""


class PeerRefused(PeerUnavailable):
    """Nobody listens there."""


@dataclass
class Service:
    """What distinguishes one server from another."""

    handle: Callable[[Request], Response]
    # The operation name of a request, with the variable parts of the path left out.
    route: Callable[[str, str], str]
    # Called after each answer with the status and the duration in milliseconds.
    report: Callable[[int, float], None]


def first_step(method: str, path: str) -> str:
    """The operation name of a server whose operations differ in the first step of the path."""
    return f"{method} /{path.split('/')[1]}"


def serve(task: Task, service: Service) -> None:
    """Serves on a free loopback port until the task is told to stop, then finishes what is in flight."""
    server = _Server((LOOPBACK, 0), _handler(task, service))
    task.obey_signals()
    port = server.server_address[1]
    task.log.info("listening", extra=logs.context(version=task.version, port=port))
    task.announce(port)
    server.timeout = 0.2
    while not task.stopping.is_set():
        server.handle_request()
    task.log.info("draining and stopping", extra=logs.context(version=task.version))
    server.server_close()


def report_application_signals(task: Task) -> Callable[[int, float], None]:
    def report(status: int, duration_ms: float) -> None:
        fault, error = status >= 500, 400 <= status < 500
        task.telemetry.put(RequestCount=1, Latency=round(duration_ms, 3), Fault=int(fault), Error=int(error))

    return report


def call(task: Task, span: Span, peer: str, method: str, path: str, *, body: bytes = b"", timeout_s: float) -> Response:
    """Calls another service inside a client span of this one."""
    with span.child(f"{method} {peer}") as client:
        try:
            return _exchange(task, client, peer, method, path, body, timeout_s)
        except PeerRefused:
            # Nobody at the other end writes a span: it is inferred from the caller's, as X-Ray does.
            with client.child(f"{method} {peer}", peer):
                raise


def call_third_party(
    task: Task, span: Span, peer: str, method: str, path: str, *, body: bytes, timeout_s: float
) -> Response:
    """Calls another company. It has no spans of its own here: the caller's stands for it, as with a database."""
    with span.child(f"{method} {peer}") as client, client.child(f"{method} {path}", peer) as remote:
        response = _exchange(task, client, peer, method, path, body, timeout_s)
        remote.failed = client.failed
        return response


def _exchange(task: Task, client: Span, peer: str, method: str, path: str, body: bytes, timeout_s: float) -> Response:
    connection = http.client.HTTPConnection(LOOPBACK, port_of(task.discovery, peer), timeout=timeout_s)
    try:
        connection.request(method, path, body, {"traceparent": client.traceparent()})
        answer = connection.getresponse()
        response = Response(answer.status, answer.read(BODY_BYTES_MAX))
    except ConnectionRefusedError as error:
        raise PeerRefused(f"{peer}: {type(error).__name__} after {client.elapsed_ms():.0f} ms") from error
    except (OSError, http.client.HTTPException) as error:
        raise PeerUnavailable(f"{peer}: {type(error).__name__} after {client.elapsed_ms():.0f} ms") from error
    finally:
        connection.close()
    client.failed = response.status >= 500
    return response


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    # Closing the server then waits for the requests in flight, as a task that drains does.
    daemon_threads = False


def _handler(task: Task, service: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 15

        def _serve(self) -> None:
            length = min(int(self.headers.get("Content-Length") or 0), BODY_BYTES_MAX)
            body = self.rfile.read(length)
            with task.tracer.server(service.route(self.command, self.path), self.headers.get("traceparent")) as span:
                response = _answer(task, service, Request(self.command, self.path, body, span))
                span.failed = response.status >= 500
                self._send(response)
                service.report(response.status, span.elapsed_ms())

        do_GET = do_POST = _serve

        def _send(self, response: Response) -> None:
            try:
                self.send_response(response.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(response.body)))
                self.end_headers()
                self.wfile.write(response.body)
            except OSError:
                # The caller gave up; what it was told no longer matters, how long it took still does.
                pass

        def log_message(self, *_) -> None:
            """The services write their own lines."""

    return Handler


def _answer(task: Task, service: Service, request: Request) -> Response:
    try:
        return service.handle(request)
    except Exception:
        task.log.exception("unhandled error on %s %s", request.method, request.path, extra=logs.context(request.span))
        return Response.json(500, {"error": "internal"})
