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

from pitasker_core import database, tasks
from pitasker_core.base.environment import Environment
from pitasker_core.crontab.document import parse_line
from pitasker_core.database.tables import StateRow, TaskRow
from pitasker_core.sync import importing, operation_history, service
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


def measure(size: int, repeats: int, environment: Environment) -> None:
    """Measure one size and print its rows."""
    with database.administer(environment) as session:
        for table in ("tasks", "sync_base", "sync_operations", "snapshots", "events"):
            session.execute(text(f"truncate {table} cascade"))
    environment.make_home()
    file = environment.home / "benchmark.crontab"
    file.write_text("".join(f"# Job {n}\n{n % 60} 1 * * * /bin/job-{n}\n" for n in range(size)))
    subprocess.run(["crontab", str(file)], check=True)
    importing.import_entries(environment, ME)
    file.write_text(service.read_crontab(environment)[0] or "")
    one = tasks.listing(environment).tasks[0].id
    minutes = itertools.cycle(range(60))

    def list_it() -> None:
        subprocess.run(["crontab", "-l"], capture_output=True, check=True)

    def install_it() -> None:
        with file.open("rb") as data:
            subprocess.run(["crontab", "-"], stdin=data, capture_output=True, check=True)

    def commit() -> None:
        with database.session(environment) as session:
            session.merge(StateRow(key="benchmark", value={"at": time.time()}))

    def read() -> None:
        service.read_crontab(environment)

    def change_all() -> None:
        with database.session(environment) as session:
            session.execute(update(TaskRow).values(command=TaskRow.command + "+"))

    def sync() -> None:
        service.sync(environment, Request(service.BACKGROUND))

    some = [task.id for task in tasks.listing(environment).tasks[:100]]
    done: list[tasks.Applied] = []
    operations: list[operation_history.Operation] = []

    def edit_some() -> None:
        minute = next(minutes)
        edits = [tasks.Edit(task, None, {"schedule": f"{minute} 3 * * *"}) for task in some]
        done.append(tasks.apply(environment, ME, edits))

    def undo_some() -> None:
        tasks.undo(environment, ME, done.pop())

    def edit_elsewhere() -> None:
        with database.session(environment) as session:
            session.execute(update(TaskRow).values(command=TaskRow.command + "+"))
        result = service.sync(environment, Request(ME))
        assert result.operation
        operations.append(operation_history.operation(environment, result.operation))

    def undo_operation() -> None:
        tasks.undo_operation(environment, ME, operations.pop())

    def delete_some() -> None:
        done.append(tasks.delete(environment, ME, *some))

    def edit_one() -> None:
        tasks.change(environment, ME, one, schedule=f"{next(minutes)} 2 * * *")

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
    environment = Environment.from_environment({"PITASKER_HOME": folder})
    database.start(environment)
    # As the server does: else a collection of all that was imported falls into some of the calls.
    gc.collect()
    gc.freeze()
    try:
        heads = f"{'ms':>8} {'floor':>8} {'ratio':>6} {'queries':>7} {'trans.':>6}"
        print(f"{'tasks':>6}  {'what':34} {heads}")
        for size in SIZES:
            measure(size, repeats, environment)
    finally:
        database.stop(environment)
        shutil.rmtree(folder)


if __name__ == "__main__":
    isolate()
    main()
