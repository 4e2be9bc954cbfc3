"""Measure the time of small commands, with 100 tasks.

    PYTHONPATH=. .venv/bin/python benchmarks/commands.py

The floor is a Python that starts and does nothing. Prints medians in milliseconds. `status` and
`list` are also measured while a process of PiTasker runs, which then answers them.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from figure import Figure
from private_world import isolate

from pitasker_core import database
from pitasker_core.base.environment import Environment
from pitasker_core.server import instances, local_answers
from pitasker_core.sync import importing

COMMANDS = (
    ("--version",),
    ("schedule", "every weekday at 7:30"),
    ("status", "--json"),
    ("list", "--json"),
    ("validate", "--json"),
    ("sync", "--json"),
    ("doctor", "--json"),
)
ANSWERED = (("status", "--json"), ("list", "--json"))
"""The commands that a running process answers."""


def measure(command: list[str], repeats: int, variables: dict[str, str]) -> float:
    """Return the median of the milliseconds of a process. The first call does not count."""
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        subprocess.run(command, env=variables, stdout=subprocess.DEVNULL, check=False)
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times[1:])


def figures(quick: bool = False) -> Iterator[Figure]:
    """Measure each command."""
    repeats = 3 if quick else 15
    folder = tempfile.mkdtemp(prefix="pitasker-benchmark-")
    variables = {**os.environ, "PITASKER_HOME": folder}
    variables.pop("DATABASE_URL", None)
    environment = Environment.from_environment(variables)
    text = "".join(f"# Job {n}\n{n % 60} 1 * * * /bin/job-{n}\n" for n in range(100))
    subprocess.run(["crontab", "-"], input=text.encode(), check=True)
    database.start(environment)
    try:
        importing.import_entries(environment, "benchmark")
        floor = measure([sys.executable, "-c", "pass"], repeats, variables)

        def figure(words: tuple[str, ...], note: str = "") -> Figure:
            command = [sys.executable, "-P", "-m", "pitasker_core", *words]
            what = f"./pitasker {words[0]}{note}"
            taken = measure(command, repeats, variables)
            return Figure("commands", what, taken, floor=floor, floor_name="an empty Python")

        for words in COMMANDS:
            yield figure(words)
        with (
            instances.registered(environment, "benchmark"),
            local_answers.answering(environment),
        ):
            for words in ANSWERED:
                yield figure(words, ", a server runs")
    finally:
        database.stop(environment)
        shutil.rmtree(folder)


if __name__ == "__main__":
    isolate()
    for figure in figures():
        print(f"{figure.what:36} {figure.value:8.0f}   floor {figure.floor:8.0f}")
