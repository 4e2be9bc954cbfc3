"""Measure the doctor on 1,000 entries.

    PYTHONPATH=. .venv/bin/python benchmarks/doctor.py

Prints the least CPU time of ten calls, in milliseconds.
"""

import gc
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from figure import Figure

from pitasker_core.crontab import shell
from pitasker_core.crontab.doctor import subject
from pitasker_core.crontab.doctor.examination import examine
from pitasker_core.crontab.document import parse
from pitasker_core.crontab.machine_facts import gather, look_up, needs_of

_COMMANDS = (
    "/home/pi/backup.sh --all --number {n} >> /home/pi/log/{n}.log 2>&1",
    "cd /home/pi/project{n} && ./run.sh | tee -a log",
    "/usr/bin/python3 /home/pi/sensors/{n}.py --pin 4 > /dev/null 2>&1",
    "flock -n /tmp/{n}.lock nice -n 10 rsync -a '/home/pi/photos {n}' pi@nas:/backup",
    '[ -x /usr/local/bin/tool{n} ] && /usr/local/bin/tool{n} $(date +\\%F) "$HOME/x {n}"',
)


def _crontab(entries: int) -> str:
    jobs = [
        f"{n % 60} {n % 24} * * * {_COMMANDS[n % len(_COMMANDS)].format(n=n)}"
        for n in range(entries)
    ]
    return "\n".join(["PATH=/usr/local/bin:/usr/bin:/bin", *jobs, ""])


def _measure(action: Callable[[], object]) -> float:
    start = time.process_time()
    action()
    return (time.process_time() - start) * 1000


def measure(repeats: int) -> dict[str, list[float]]:
    """Return the CPU times of each kind of call, in milliseconds."""
    document = parse(_crontab(1000))
    zone = ZoneInfo("Europe/Berlin")
    gather(document, zone)
    facts = gather(document, zone)
    gc.collect()
    gc.freeze()  # as the server does at its start
    cold = []
    for _ in range(repeats):
        shell.read_script.cache_clear()
        subject.read_command.cache_clear()
        cold.append(_measure(lambda: examine(document, facts)))
    needs, now = needs_of(document), datetime.now(UTC)
    return {
        "examine, nothing cached": cold,
        "examine, commands read": [
            _measure(lambda: examine(document, facts)) for _ in range(repeats)
        ],
        "gather the facts": [_measure(lambda: gather(document, zone)) for _ in range(repeats)],
        "look the same facts up again": [
            _measure(lambda: look_up(needs, zone, now)) for _ in range(repeats)
        ],
    }


def figures(quick: bool = False) -> Iterator[Figure]:
    """Measure each kind of call."""
    for what, taken in measure(3 if quick else 10).items():
        yield Figure("doctor", f"{what}, 1,000 entries", statistics.median(taken))


def main() -> None:
    """Print the times."""
    for what, taken in measure(10).items():
        print(f"{what:26} {min(taken):6.1f} ms")


if __name__ == "__main__":
    main()
