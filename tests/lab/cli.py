"""The command line: records a scenario, checks the bundle, and only then puts it in its place."""

import argparse
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from lab import run, scenarios
from lab.recorder import bundle, summary, validate
from lab.recorder.bundle import Recording, Times
from lab.scenarios.base import Scenario
from lab.shop.processes import ProcessDied

INCIDENTS = Path(__file__).resolve().parents[1] / "incidents"
# What starting and writing may take on a busy machine, on top of the phases; after that the lab stops itself.
OVERHEAD_S = 180


def main() -> None:
    arguments = _arguments()
    scenario = scenarios.load(arguments.scenario)
    timing = run.QUICK if arguments.quick else run.Timing()
    out = arguments.out or _default_folder(scenario, arguments.quick)
    if out.exists() and not (out / "incident.json").exists():
        sys.exit(f"{out} exists and is not a bundle, so it will not be replaced")
    os.umask(0o077)
    _stop_cleanly_on_signals()
    signal.alarm(timing.total_s() + OVERHEAD_S)
    try:
        recording, times = run.record(scenario, timing)
        _write_checked(out, scenario, recording, times)
    except (run.IncidentMissing, validate.Invalid, ProcessDied) as error:
        sys.exit(f"not recorded: {error}")
    print(f"recorded {out}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/lab/record", description="Record a real incident as a bundle.")
    parser.add_argument("scenario", choices=scenarios.names())
    parser.add_argument("--out", type=Path, help="the bundle's folder, replaced if it exists")
    parser.add_argument("--quick", action="store_true", help="short phases, to try the lab out; goes to a temporary folder")
    return parser.parse_args()


def _default_folder(scenario: Scenario, quick: bool) -> Path:
    return Path(tempfile.gettempdir()) / f"{scenario.folder}-quick" if quick else INCIDENTS / scenario.folder


def _write_checked(out: Path, scenario: Scenario, recording: Recording, times: Times) -> None:
    with tempfile.TemporaryDirectory(prefix="tantei-bundle-") as staging:
        draft = Path(staging) / "bundle"
        bundle.write(draft, scenario, recording, times)
        summary.show(draft)
        validate.check(draft, scenario)
        if out.exists():
            shutil.rmtree(out)
        out.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(draft, out)
    _make_readable(out)


def _make_readable(folder: Path) -> None:
    """The bundle is for everybody, unlike the run's own files."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _stop_cleanly_on_signals() -> None:
    def stop(number: int, _) -> None:
        # As an exception, so that every `with` block on the way out stops what it started.
        reason = "it took too long" if number == signal.SIGALRM else f"stopped by {signal.Signals(number).name}"
        raise SystemExit(f"not recorded: {reason}")

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGALRM):
        signal.signal(number, stop)


if __name__ == "__main__":
    main()
