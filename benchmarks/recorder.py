"""Measure the time and memory that recording adds to a job.

    PYTHONPATH=. .venv/bin/python benchmarks/recorder.py [runs]

Runs `sh -c true` plain and recorded in turn, with a copy of the recorder as in a data folder.
Prints milliseconds. Then prints the memory of recorder and pump during a recorded `sleep`: PSS
(private memory and a share of shared memory) and RSS (all mapped memory).
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from figure import Figure

from pitasker_core.runs import recorder

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "HOME": "/", "LOGNAME": "pi"}


def measure(command: str) -> float:
    """Return the milliseconds of a run, started as cron does."""
    start = time.perf_counter()
    subprocess.run(["/bin/sh", "-c", command], env=ENVIRONMENT, check=True)
    return 1000 * (time.perf_counter() - start)


def memory(pid: int, what: str) -> int:
    """Return a process's memory in kB. `what` is Pss or Rss."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{what}:"))


def put_recorder(folder: Path) -> Path:
    """Return a copy of the recorder in a folder, as in a data folder."""
    copy = folder / "pitasker-recorder"
    shutil.copyfile(recorder.__file__, copy)
    copy.chmod(0o700)
    return copy


def measure_both(copy: Path, runs: int) -> list[list[float]]:
    """Return the sorted milliseconds of plain and of recorded runs."""
    times: dict[str, list[float]] = {"true": [], f"{copy} 1 true": []}
    for command in list(times) * (runs + 1):
        times[command].append(measure(command))
    return [sorted(taken[1:]) for taken in times.values()]  # the first warms up


def figures(quick: bool = False) -> Iterator[Figure]:
    """Measure the time of a recorded run."""
    with tempfile.TemporaryDirectory(prefix="pitasker-benchmark-") as folder:
        plain, recorded = measure_both(put_recorder(Path(folder)), 10 if quick else 50)
    floor = statistics.median(plain)
    yield Figure("recorder", "a recorded `true`", statistics.median(recorded), "ms", floor, "plain")


def main() -> None:
    """Measure."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    folder = Path(tempfile.mkdtemp(prefix="pitasker-benchmark-"))
    copy = put_recorder(folder)
    plain, recorded = measure_both(copy, runs)
    print(f"{'':10} {'median':>7} {'95th':>7}")
    for name, taken in (("plain", plain), ("recorded", recorded)):
        print(f"{name:10} {statistics.median(taken):7.1f} {taken[int(0.95 * runs)]:7.1f}")
    print(f"{'added':10} {statistics.median(recorded) - statistics.median(plain):7.1f}")

    words = [str(copy), "1", "echo begun; exec sleep 1"]
    with subprocess.Popen(words, env=ENVIRONMENT, stdout=subprocess.PIPE) as running:
        assert running.stdout
        running.stdout.readline()
        time.sleep(0.3)
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
        pump = next(
            int(pid) for pid in children if b"recorder" in Path(f"/proc/{pid}/cmdline").read_bytes()
        )
        for what in ("Pss", "Rss"):
            both = [memory(pid, what) / 1024 for pid in (running.pid, pump)]
            print(f"{what.upper()}: recorder {both[0]:.1f} MB, pump {both[1]:.1f} MB")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
