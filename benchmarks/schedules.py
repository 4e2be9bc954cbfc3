"""Measure the understanding of a typed schedule. The limit is 5 ms.

    PYTHONPATH=. .venv/bin/python benchmarks/schedules.py

Each text is read with empty caches. The times are CPU times. Needs no crontab and no database.
"""

import csv
import random
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from figure import Figure

from pitasker_core.crontab import describing, phrases, schedule
from pitasker_core.crontab.phrases.vocabulary import WORDS
from pitasker_core.crontab.understanding import understand

TABLE = Path(__file__).parents[1] / "tests/crontab/phrases.csv"
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


def measure(texts: list[str]) -> tuple[float, float, str]:
    """Return the median and the maximum over some texts, and the text of the maximum."""
    now = datetime(2026, 11, 26, 21, 30, tzinfo=UTC)
    times = sorted((min(milliseconds(text, now) for _ in range(3)), text) for text in texts)
    worst, text = times[-1]
    return statistics.median(time for time, _ in times), worst, text


def all_texts() -> dict[str, list[str]]:
    """Return the phrases of the table, five fields, and meaningless texts."""
    chance = random.Random(1)
    table = [row["phrase"] for row in csv.DictReader(TABLE.read_text().splitlines())]
    schedules = ["* * * * *", "*/15 9-16 * * 1-5", "0 0 13 * 5", "0 0 29 2 *", "1-59/7 */5 */3 * 2"]
    words = list(WORDS)
    nonsense = [" ".join(chance.choices(words, k=60))[:LENGTH] for _ in range(200)]
    return {
        "phrases of the table": table,
        "five fields": schedules,
        "one piece, 200 characters": [(piece * LENGTH)[:LENGTH] for piece in PIECES],
        "any words, 200 characters": nonsense,
    }


def figures(quick: bool = False) -> Iterator[Figure]:
    """Measure the slowest text of each kind."""
    understand("every day", ZONE, datetime.now(UTC))  # the first call imports modules
    for name, texts in all_texts().items():
        _, worst, _ = measure(texts[:20] if quick else texts)
        yield Figure("schedules", f"the slowest of {name}", worst)


def main() -> None:
    """Print the times of each kind of text."""
    understand("every day", ZONE, datetime.now(UTC))  # the first call imports modules
    print(f"{'milliseconds':28} {'median':>8} {'worst':>8}")
    for name, texts in all_texts().items():
        median, worst, text = measure(texts)
        print(f"{name:28} {median:8.2f} {worst:8.2f}  {text[:40]!r}")


if __name__ == "__main__":
    main()
