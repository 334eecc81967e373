"""The course of a recording: warm up, healthy, fault, recovery. Prints a line for every bin as it is evaluated.

Starts everything, decides when things happen, and returns what was recorded; what happens is the scenario's.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.recorder.alarm import INGESTION_DELAY_S, Alarm
from lab.recorder.bins import PERIOD_S, Bins, TelemetryFiles, bin_of
from lab.recorder.bundle import Recording, Times
from lab.recorder.sampler import Sampler
from lab.scenarios.base import Scenario
from lab.shop.agent import Agent
from lab.shop.processes import Processes
from lab.shop.shop import Folders, Shop


@dataclass(frozen=True)
class Timing:
    """How long the phases last, and how much around the alarm is under investigation."""

    warmup_s: int = 30
    healthy_s: int = 300
    fault_s: int = 180
    recovery_s: int = 175
    window_before_fault_s: int = 60
    window_after_alarm_s: int = 90

    def total_s(self) -> int:
        return self.warmup_s + self.healthy_s + self.fault_s + self.recovery_s


QUICK = Timing(warmup_s=15, healthy_s=110, fault_s=100, recovery_s=80, window_before_fault_s=40, window_after_alarm_s=30)


class IncidentMissing(Exception):
    """The run did not become the incident it was meant to be."""


def record(scenario: Scenario, timing: Timing) -> tuple[Recording, Times]:
    with ExitStack() as stack:
        folders = Folders.below(stack.enter_context(_private_folder()))
        shop = Shop(stack.enter_context(Processes()), folders)
        print("starting PostgreSQL and the services", flush=True)
        shop.start(scenario.releases)
        sampler = stack.enter_context(Sampler(shop, folders.telemetry))
        course = _Course(scenario, shop, sampler, folders)
        times = course.take(timing)
        return Recording.collect(course.bins, folders, shop.changes.records, course.alarm.transitions), times


class _Course:
    def __init__(self, scenario: Scenario, shop: Shop, sampler: Sampler, folders: Folders):
        self._scenario = scenario
        self._shop = shop
        self._sampler = sampler
        self._agent = Agent(shop)
        self._files = TelemetryFiles(folders.telemetry)
        self._next_bin = bin_of(time.time())
        self.bins = Bins()
        self.alarm = Alarm(scenario.alarm, time.time())

    def take(self, timing: Timing) -> Times:
        self._phase("warm-up", timing.warmup_s)
        recorded_from = bin_of(time.time()) + PERIOD_S

        self._phase("healthy", timing.healthy_s // 4)
        self._act("unrelated change", self._scenario.unrelated_change)
        self._phase("healthy", timing.healthy_s - timing.healthy_s // 4)

        fault_at = self._act("fault", self._scenario.inject)
        self._phase("fault", timing.fault_s - (time.time() - fault_at))
        alarm_at = self._fired_since(fault_at)

        remediated_at = self._act("remediation", self._scenario.remediation.apply)
        self._phase("recovery", timing.recovery_s)
        return Times(
            recorded_from=recorded_from,
            window_start=bin_of(fault_at - timing.window_before_fault_s),
            alarm_at=alarm_at,
            window_end=bin_of(min(alarm_at + timing.window_after_alarm_s, remediated_at)),
            remediated_at=remediated_at,
            recorded_until=self._next_bin,
        )

    def _act(self, what: str, action: Callable[[Shop], None]) -> float:
        at = time.time()
        print(f"--- {what}", flush=True)
        action(self._shop)
        return at

    def _phase(self, name: str, seconds: float) -> None:
        end = time.time() + seconds
        while (now := time.time()) < end:
            if now >= self._next_bin + PERIOD_S + INGESTION_DELAY_S:
                self._evaluate(name, now)
            self._agent.look()
            self._shop.expect_running()
            self._sampler.expect_running()
            time.sleep(0.2)

    def _evaluate(self, phase: str, now: float) -> None:
        self._files.read_into(self.bins)
        self.alarm.evaluate(self.bins, self._next_bin, now)
        print(self._progress(phase), flush=True)
        self._next_bin += PERIOD_S

    def _progress(self, phase: str) -> str:
        def alb(name: str, stat: str) -> float:
            return self.bins.statistic("shop-alb", name, stat, self._next_bin) or 0.0

        at = time.strftime("%H:%M:%S", time.gmtime(self._next_bin))
        return (
            f"{at} {phase:<9} {alb('RequestCount', 'Sum') / PERIOD_S:5.1f} req/s"
            f"  average {alb('TargetResponseTime', 'Average') * 1000:7.1f} ms"
            f"  p99 {alb('TargetResponseTime', 'p99') * 1000:7.1f} ms"
            f"  5xx {alb('HTTPCode_Target_5XX_Count', 'Sum'):3.0f}  {self.alarm.state}"
        )

    def _fired_since(self, fault_at: float) -> float:
        for transition in self.alarm.transitions:
            if transition["NewStateValue"] == "ALARM" and transition["t"] >= fault_at * 1000:
                return transition["t"] / 1000
        raise IncidentMissing("the alarm did not fire in the fault phase")


@contextmanager
def _private_folder() -> Iterator[Path]:
    root = Path(tempfile.mkdtemp(prefix="tantei-lab-"))
    # PostgreSQL's account must pass through to its own folder; nothing here can be listed or read by it.
    os.chmod(root, 0o711)
    try:
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)
