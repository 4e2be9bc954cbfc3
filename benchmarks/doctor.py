"""Measure the doctor on 1,000 entries: `python -m benchmarks.doctor`."""

import gc
import time
from collections.abc import Callable
from zoneinfo import ZoneInfo

from pitasker_core.crontab import shell
from pitasker_core.crontab.doctor.examination import examine
from pitasker_core.crontab.document import parse
from pitasker_core.crontab.machine_facts import gather

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


def main() -> None:
    """Print the times."""
    document = parse(_crontab(1000))
    zone = ZoneInfo("Europe/Berlin")
    gather(document, zone)
    facts = gather(document, zone)
    gc.collect()
    gc.freeze()  # as the server does at its start
    cold = []
    for _ in range(10):
        shell.read_script.cache_clear()
        cold.append(_measure(lambda: examine(document, facts)))
    warm = [_measure(lambda: examine(document, facts)) for _ in range(10)]
    gathered = [_measure(lambda: gather(document, zone)) for _ in range(10)]
    print(f"examine, nothing cached: {min(cold):6.1f} ms")
    print(f"examine, commands read:  {min(warm):6.1f} ms")
    print(f"gather the facts:        {min(gathered):6.1f} ms")
    print(f"findings: {len(examine(document, facts).findings)}")


if __name__ == "__main__":
    main()
