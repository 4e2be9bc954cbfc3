"""Run the recorder as cron does."""

import json
import os
import subprocess
import sys
from pathlib import Path

from pitasker_core.runs import recorder, records
from tests.helpers.waiting import until

PYTHON = ["/usr/bin/python3", "-I", "-S"]
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "HOME": "/", "LOGNAME": "pi"}


COVERAGE_FILE = os.environ.get("COVERAGE_FILE", "")
"""Set while coverage is measured. Then the recorder is, too, but not as cron runs it."""

SETTINGS = Path(__file__).parents[2] / "pyproject.toml"


class Recorder:
    """A copy of the recorder in its own home, and its files there."""

    def __init__(self, home, measured=True):
        self.python = PYTHON
        if measured := measured and bool(COVERAGE_FILE):
            home = home / "pitasker_core" / "runs"  # reported as the original's
            home.mkdir(parents=True)
            options = [f"--rcfile={SETTINGS}", f"--data-file={COVERAGE_FILE}", f"--source={home}"]
            self.python = [sys.executable, "-m", "coverage", "run", *options]
        self.home = home
        self.spool = home / "spool"
        self.file = home / ("recorder.py" if measured else "pitasker-recorder")
        self.file.write_bytes(Path(recorder.__file__).read_bytes())

    def set(self, name, value):
        lines = self.file.read_text().splitlines(keepends=True)
        place = next(n for n, line in enumerate(lines) if line.startswith(f"{name} = "))
        lines[place] = f"{name} = {value}\n"
        self.file.write_text("".join(lines))

    def words(self, command, *options):
        return [*self.python, str(self.file), *options, "7", command]

    def run(self, command, *options, **how):
        how = {"env": ENVIRONMENT, "capture_output": True, "timeout": 60, **how}
        return subprocess.run(self.words(command, *options), **how)

    def start(self, command, *options, **how):
        how = {"env": ENVIRONMENT, "stdout": subprocess.PIPE, **how}
        return subprocess.Popen(self.words(command, *options), **how)

    def record(self, kind="json"):
        (file,) = self.spool.glob(f"*.{kind}")
        return json.loads(file.read_bytes())

    def printed(self):
        (file,) = self.spool.glob("*.json")
        return records.printed(file.with_suffix(""))

    def job(self):
        until(lambda: list(self.spool.glob("*.start")))
        return self.record("start")["job"]
