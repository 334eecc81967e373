"""Does for the shop's tasks what ECS and the kernel do: ends one that uses more memory than it may, and starts a new one."""

import os
import time
from pathlib import Path

from lab.shop import model
from lab.shop.shop import Shop

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# Placing a task, fetching its image and passing health checks; ECS takes longer.
START_AGAIN_S = 10.0


class Agent:
    def __init__(self, shop: Shop):
        self._shop = shop
        self._due: dict[str, float] = {}

    def look(self) -> None:
        """Called several times a second."""
        for service in model.ECS_SERVICES:
            if sum(resident_bytes(pid) for pid in self._shop.pids(service)) > model.TASK_MEMORY_BYTES:
                self._shop.out_of_memory(service)
                self._due[service] = time.monotonic() + START_AGAIN_S
        for service, due in list(self._due.items()):
            if time.monotonic() >= due:
                del self._due[service]
                self._shop.start_again(service)


def resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    except OSError:
        return 0
