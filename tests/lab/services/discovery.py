"""Where a service listens: one small file a service, replaced atomically by whoever deploys it.

Read on every call, so that a rolling deployment takes effect at once and without a restart of the callers.
"""

from pathlib import Path


def publish(folder: Path, service: str, port: int) -> None:
    entry = folder / service
    draft = entry.with_suffix(".new")
    draft.write_text(str(port))
    draft.replace(entry)


def port_of(folder: Path, service: str) -> int:
    return int((folder / service).read_text())
