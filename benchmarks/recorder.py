"""What recording adds to a job: time and memory.

    PYTHONPATH=. .venv/bin/python benchmarks/recorder.py [runs]

`true` by `sh -c`, plain and recorded, in turn, with the recorder's file as it lies in a data
folder. Milliseconds; and, while a recorded `sleep` runs, the memory that recorder and pump hold:
what is theirs alone and their share of what they have in common (PSS), and all that is mapped
(RSS).
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pitasker_core.runs import recorder

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "HOME": "/", "LOGNAME": "pi"}


def took(command: str) -> float:
    """Milliseconds of one run, as cron starts it."""
    start = time.perf_counter()
    subprocess.run(["/bin/sh", "-c", command], env=ENVIRONMENT, check=True)
    return 1000 * (time.perf_counter() - start)


def memory(pid: int, what: str) -> int:
    """Of one process, in kB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{what}:"))


def main() -> None:
    """Measure."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    folder = Path(tempfile.mkdtemp(prefix="pitasker-benchmark-"))
    copy = folder / "pitasker-recorder"
    shutil.copyfile(recorder.__file__, copy)
    copy.chmod(0o700)
    times: dict[str, list[float]] = {"true": [], f"{copy} 1 true": []}
    for command in list(times) * (runs + 1):
        times[command].append(took(command))
    plain, recorded = (sorted(found[1:]) for found in times.values())  # the first warms up
    print(f"{'':10} {'median':>7} {'95th':>7}")
    for name, found in (("plain", plain), ("recorded", recorded)):
        print(f"{name:10} {statistics.median(found):7.1f} {found[int(0.95 * runs)]:7.1f}")
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
