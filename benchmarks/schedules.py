"""Measure the understanding of a typed schedule. The limit is 5 ms.

    PYTHONPATH=. .venv/bin/python benchmarks/schedules.py

Each text is read with empty caches. The times are CPU times. Needs no crontab and no database.
"""

import csv
import random
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pitasker_core.crontab import describing, phrases, schedule
from pitasker_core.crontab.phrases.vocabulary import WORDS
from pitasker_core.crontab.understanding import understand

TABLE = Path("tests/crontab/phrases.csv")
ZONE = ZoneInfo("Europe/Berlin")
LENGTH = 200
PIECES = ["every ", "1,", "1-", "at ", "the a ", "monn tusday ", "9 to ", "1st and ", "03/04 "]


def milliseconds(text: str, now: datetime) -> float:
    """Return the CPU time of reading a text, with empty caches."""
    for cache in (phrases.read, schedule.parse, describing.in_words):
        cache.cache_clear()
    start = time.process_time()
    understand(text, ZONE, now)
    return 1000 * (time.process_time() - start)


def measure(name: str, texts: list[str]) -> None:
    """Print the median and the maximum over some texts."""
    now = datetime(2026, 11, 26, 21, 30, tzinfo=UTC)
    times = sorted((min(milliseconds(text, now) for _ in range(3)), text) for text in texts)
    median = statistics.median(time for time, _ in times)
    worst, text = times[-1]
    print(f"{name:28} {median:8.2f} {worst:8.2f}  {text[:40]!r}")


def main() -> None:
    """Measure the phrases of the table, five fields, and meaningless texts."""
    chance = random.Random(1)
    table = [row["phrase"] for row in csv.DictReader(TABLE.read_text().splitlines())]
    schedules = ["* * * * *", "*/15 9-16 * * 1-5", "0 0 13 * 5", "0 0 29 2 *", "1-59/7 */5 */3 * 2"]
    words = list(WORDS)
    nonsense = [" ".join(chance.choices(words, k=60))[:LENGTH] for _ in range(200)]
    understand("every day", ZONE, datetime.now(UTC))  # the first call imports modules
    print(f"{'milliseconds':28} {'median':>8} {'worst':>8}")
    measure("phrases of the table", table)
    measure("five fields", schedules)
    measure("one piece, 200 characters", [(piece * LENGTH)[:LENGTH] for piece in PIECES])
    measure("any words, 200 characters", nonsense)


if __name__ == "__main__":
    main()
