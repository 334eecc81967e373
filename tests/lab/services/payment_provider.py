"""`payments.example`: another company's service, which authorises payments. The shop sees nothing of it but its answers."""

import random
import time

from lab.services import web
from lab.services.task import Task, from_arguments

DECLINED = 0.01


class Provider:
    def __init__(self, task: Task):
        self._task = task

    def handle(self, request: web.Request) -> web.Response:
        # The card's bank is asked meanwhile: another machine's work, so a pause stands for it.
        time.sleep(random.uniform(*self._task.settings["bank_answers_within_s"]))
        if random.random() < DECLINED:
            return web.Response.json(402, {"approved": False})
        return web.Response.json(201, {"approved": True})


def main() -> None:
    task = from_arguments("logfmt")
    # The route has no variable part, and what it reports goes to its owner.
    web.serve(task, web.Service(Provider(task).handle, lambda method, path: f"{method} {path}", lambda status, ms: None))


if __name__ == "__main__":
    main()
