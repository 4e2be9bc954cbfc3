"""Run the recorder as cron does."""

import json
import subprocess
from pathlib import Path

from pitasker_core.runs import recorder, spool
from tests.helpers.waiting import until

PYTHON = ["/usr/bin/python3", "-I", "-S"]
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "HOME": "/", "LOGNAME": "pi"}


class Recorder:
    """A copy of the recorder in its own home, and its files there."""

    def __init__(self, home):
        self.home = home
        self.spool = home / "spool"
        self.file = home / "pitasker-recorder"
        self.file.write_bytes(Path(recorder.__file__).read_bytes())

    def set(self, name, value):
        lines = self.file.read_text().splitlines(keepends=True)
        place = next(n for n, line in enumerate(lines) if line.startswith(f"{name} = "))
        lines[place] = f"{name} = {value}\n"
        self.file.write_text("".join(lines))

    def words(self, command, *options):
        return [*PYTHON, str(self.file), *options, "7", command]

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
        return spool.printed(file.with_suffix(""))

    def job(self):
        until(lambda: list(self.spool.glob("*.start")))
        return self.record("start")["job"]
