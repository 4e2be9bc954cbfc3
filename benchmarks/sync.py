"""How long the main work takes, beside the `crontab` calls that it cannot do without.

    PYTHONPATH=. .venv/bin/python benchmarks/sync.py [repeats]

Runs on a private crontab and a private PostgreSQL, whatever DATABASE_URL says; as root, or where
user namespaces are allowed.
Each row is the median of the repeats, with the queries and transactions of one call. The floor is
measured in the same run: the bare `crontab -l` and `crontab -` calls that a safe write needs (read,
read again right before writing, write, read back), and one small commit.
"""

import gc
import itertools
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from private_world import isolate
from sqlalchemy import Engine, event, text, update

from pitasker_core import database, history, tasks
from pitasker_core.crontab.document import parse_line
from pitasker_core.database.tables import SettingRow, TaskRow
from pitasker_core.settings import Settings
from pitasker_core.sync import adopt, service
from pitasker_core.sync.service import Request

SIZES = (10, 100, 1000)
ME = "benchmark"


def median(
    repeats: int, work: Callable[[], object], prepare: Callable[[], object] | None = None
) -> float:
    """Milliseconds; the first call warms up and does not count."""
    times = []
    for _ in range(repeats + 1):
        if prepare:
            prepare()
        start = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times[1:])


@dataclass
class Load:
    """What an operation asks of PostgreSQL."""

    queries: int = 0
    transactions: int = 0


@contextmanager
def counted() -> Iterator[Load]:
    """Count what is asked of PostgreSQL meanwhile."""
    load = Load()

    def count_query(*_: object) -> None:
        load.queries += 1

    def count_transaction(*_: object) -> None:
        load.transactions += 1

    event.listen(Engine, "before_cursor_execute", count_query)
    event.listen(Engine, "begin", count_transaction)
    yield load
    event.remove(Engine, "before_cursor_execute", count_query)
    event.remove(Engine, "begin", count_transaction)


def measure(size: int, repeats: int, settings: Settings) -> None:
    """Measure one size and print its rows."""
    with database.administer(settings) as session:
        for table in ("tasks", "sync_base", "sync_operations", "snapshots", "events"):
            session.execute(text(f"truncate {table} cascade"))
    settings.make_home()
    file = settings.home / "benchmark.crontab"
    file.write_text("".join(f"# Job {n}\n{n % 60} 1 * * * /bin/job-{n}\n" for n in range(size)))
    subprocess.run(["crontab", str(file)], check=True)
    adopt.adopt(settings, ME)
    file.write_text(service.read_crontab(settings)[0] or "")
    one = tasks.listing(settings).tasks[0].id
    minutes = itertools.cycle(range(60))

    def list_it() -> None:
        subprocess.run(["crontab", "-l"], capture_output=True, check=True)

    def install_it() -> None:
        with file.open("rb") as data:
            subprocess.run(["crontab", "-"], stdin=data, capture_output=True, check=True)

    def commit() -> None:
        with database.session(settings) as session:
            session.merge(SettingRow(key="benchmark", value={"at": time.time()}))

    def read() -> None:
        service.read_crontab(settings)

    def change_all() -> None:
        with database.session(settings) as session:
            session.execute(update(TaskRow).values(command=TaskRow.command + "+"))

    def sync() -> None:
        service.sync(settings, Request(service.BACKGROUND))

    some = [task.id for task in tasks.listing(settings).tasks[:100]]
    done: list[tasks.Applied] = []
    operations: list[history.Operation] = []

    def edit_some() -> None:
        minute = next(minutes)
        edits = [tasks.Edit(task, None, {"schedule": f"{minute} 3 * * *"}) for task in some]
        done.append(tasks.apply(settings, ME, edits))

    def undo_some() -> None:
        tasks.undo(settings, ME, done.pop())

    def edit_elsewhere() -> None:
        with database.session(settings) as session:
            session.execute(update(TaskRow).values(command=TaskRow.command + "+"))
        result = service.sync(settings, Request(ME))
        assert result.operation
        operations.append(history.operation(settings, result.operation))

    def undo_operation() -> None:
        tasks.undo_operation(settings, ME, operations.pop())

    def delete_some() -> None:
        done.append(tasks.delete(settings, ME, *some))

    def edit_one() -> None:
        tasks.change(settings, ME, one, schedule=f"{next(minutes)} 2 * * *")

    reading = median(repeats, list_it)
    writing = median(repeats, install_it)
    committing = median(repeats, commit)
    safe_write = 3 * reading + writing + committing
    for what, work, prepare, floor in (
        ("read and parse", read, parse_line.cache_clear, reading),
        ("sync, nothing changed", sync, None, reading),
        ("sync, every task changed", sync, change_all, safe_write),
        ("one edit, saved and in the crontab", edit_one, None, safe_write),
        (f"{len(some)} edits at once", edit_some, None, safe_write),
        (f"undo of {len(some)} edits", undo_some, edit_some, safe_write),
        (f"undo of {len(some)} deletions", undo_some, delete_some, safe_write),
        ("undo of a sync of all", undo_operation, edit_elsewhere, safe_write),
    ):
        taken = median(repeats, work, prepare)
        if prepare:
            prepare()
        with counted() as load:
            work()
        asked = f"{load.queries:7} {load.transactions:6}"
        print(f"{size:6}  {what:34} {taken:8.1f} {floor:8.1f} {taken / floor:6.1f} {asked}")
    print(f"        of the floor: -l {reading:.1f}, - {writing:.1f}, commit {committing:.1f} ms")


def main() -> None:
    """Measure all sizes."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    folder = tempfile.mkdtemp(prefix="pitasker-benchmark-")
    settings = Settings.from_environment({"PITASKER_HOME": folder})
    database.start(settings)
    # As the server does: else a collection of all that was imported falls into some of the calls.
    gc.collect()
    gc.freeze()
    try:
        heads = f"{'ms':>8} {'floor':>8} {'ratio':>6} {'queries':>7} {'trans.':>6}"
        print(f"{'tasks':>6}  {'what':34} {heads}")
        for size in SIZES:
            measure(size, repeats, settings)
    finally:
        database.stop(settings)
        shutil.rmtree(folder)


if __name__ == "__main__":
    isolate()
    main()
