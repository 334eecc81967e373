"""Log formats. Each service has its own, as services of different teams do; all write UTC and their trace context.

A line's fields come in through `context(span, **fields)`. Where a line goes is not decided here: it goes to stdout,
which the lab keeps as a file.
"""

import json
import logging
import sys
import time
from pathlib import Path

from lab.services.tracing import Span

# Stack traces name files from here on, so that a recording doesn't depend on the machine that it was made on.
PATHS_LEFT_OUT = (f"{Path(__file__).resolve().parents[2]}/", f"{sys.base_prefix}/lib/")


def context(span: Span | None = None, **fields) -> dict:
    """The `extra` of a log call."""
    return {"span": span, "fields": fields}


def logger(style: str, service: str) -> logging.Logger:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(FORMATS[style]())
    log = logging.getLogger(service)
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    return log


class _Format(logging.Formatter):
    def formatException(self, exc_info) -> str:
        text = super().formatException(exc_info)
        for path in PATHS_LEFT_OUT:
            text = text.replace(path, "")
        return text


class JsonLines(_Format):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        span, fields = _context_of(record)
        line = {
            "timestamp": _utc(record, "%Y-%m-%dT%H:%M:%S", ".") + "Z",
            "level": record.levelname.lower(),
            "service": record.name,
            "message": record.getMessage(),
        }
        if span is not None:
            line |= {"trace_id": span.trace, "span_id": span.id}
        line |= fields
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


class Logfmt(_Format):
    """`key=value` pairs."""

    def format(self, record: logging.LogRecord) -> str:
        span, fields = _context_of(record)
        pairs = {
            "ts": _utc(record, "%Y-%m-%dT%H:%M:%S", ".") + "Z",
            "level": record.levelname.lower(),
            "msg": record.getMessage(),
            **fields,
        }
        if span is not None:
            pairs |= {"trace_id": span.trace, "span_id": span.id}
        return " ".join(f"{key}={_quoted(value)}" for key, value in pairs.items())


class Bracketed(_Format):
    """Text for people, with the stack trace on the lines that follow."""

    def format(self, record: logging.LogRecord) -> str:
        span, fields = _context_of(record)
        trace = f"[trace_id={span.trace} span_id={span.id}]" if span is not None else "[-]"
        tail = "".join(f" {key}={value}" for key, value in fields.items())
        when = _utc(record, "%Y-%m-%d %H:%M:%S", ",")
        line = f"{when} {record.levelname:<5} shop.{record.name} {trace} - {record.getMessage()}{tail}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


FORMATS = {"json": JsonLines, "logfmt": Logfmt, "bracketed": Bracketed}


def _context_of(record: logging.LogRecord) -> tuple[Span | None, dict]:
    return getattr(record, "span", None), getattr(record, "fields", {})


def _utc(record: logging.LogRecord, layout: str, separator: str) -> str:
    return f"{time.strftime(layout, time.gmtime(record.created))}{separator}{int(record.msecs):03d}"


def _quoted(value) -> str:
    text = str(value)
    return json.dumps(text) if any(character in text for character in ' "=') else text
