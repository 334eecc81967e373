"""The scenarios: one module each, found by its name. `lock-contention` is `lock_contention.py`."""

import importlib
from pathlib import Path

from lab.scenarios.base import Scenario

NOT_SCENARIOS = ("__init__", "base", "changes")


def names() -> list[str]:
    stems = (path.stem for path in Path(__file__).parent.glob("*.py"))
    return sorted(stem.replace("_", "-") for stem in stems if stem not in NOT_SCENARIOS)


def load(name: str) -> Scenario:
    return importlib.import_module(f"lab.scenarios.{name.replace('-', '_')}").SCENARIO
