"""Measure the main actions, compared with the `crontab` calls that they need.

    PYTHONPATH=. .venv/bin/python benchmarks/sync.py [--repeats 15] [--sizes 100,1000] [--json FILE]

Uses a private crontab and a private PostgreSQL, and ignores DATABASE_URL. Needs root or user
namespaces. Each row has the median of the repeats, and the queries, transactions and processes of a
call. Two lower limits are measured in the same run. `bare` is one `crontab -l`, plus one
`crontab -` for an action that writes. `safe` is the least that a safe write needs: read, read again
right before writing, write, read back, and one small commit.
"""

import argparse
import gc
import itertools
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from figure import Figure
from private_world import isolate
from sqlalchemy import Engine, event, text, update

from pitasker_core import database, tasks
from pitasker_core.base.actor import Actor
from pitasker_core.base.environment import Environment
from pitasker_core.crontab.document import parse, parse_line
from pitasker_core.database.tables import StateRow, TaskRow
from pitasker_core.sync import importing, operation_history, service
from pitasker_core.sync.service import Request

ME = "benchmark"


def forget_crontabs() -> None:
    """Empty the caches of the parser."""
    parse.cache_clear()
    parse_line.cache_clear()


def median(
    repeats: int, work: Callable[[], object], prepare: Callable[[], object] | None = None
) -> tuple[float, float]:
    """Return the medians of wall and CPU time in milliseconds. The first call does not count."""
    times, cpu_times = [], []
    for _ in range(repeats + 1):
        if prepare:
            prepare()
        start, cpu_start = time.perf_counter(), time.process_time()
        work()
        times.append(1000 * (time.perf_counter() - start))
        cpu_times.append(1000 * (time.process_time() - cpu_start))
    return statistics.median(times[1:]), statistics.median(cpu_times[1:])


@dataclass
class Load:
    """The queries, transactions and processes of an action."""

    queries: int = 0
    transactions: int = 0
    processes: int = 0


@dataclass(frozen=True)
class Timing:
    """A row of the table. Times are in milliseconds."""

    entries: int
    act: str
    milliseconds: float
    cpu: float
    """CPU time of this process, without PostgreSQL and `crontab`."""
    bare: float
    safe: float
    load: Load

    def __str__(self) -> str:
        load = self.load
        return (
            f"{self.entries:6}  {self.act:34} {self.milliseconds:8.1f} {self.cpu:7.1f}"
            f" {self.bare:6.1f} {self.milliseconds / self.bare:6.1f}"
            f" {self.safe:6.1f} {self.milliseconds / self.safe:6.1f}"
            f" {load.queries:7} {load.transactions:6} {load.processes:6}"
        )


_HEAD = (
    f"{'tasks':>6}  {'act':34} {'ms':>8} {'cpu':>7} {'bare':>6} {'ratio':>6}"
    f" {'safe':>6} {'ratio':>6}"
    f" {'queries':>7} {'trans.':>6} {'proc.':>6}"
)
_loads: list[Load] = []


def _count_process(name: str, _arguments: tuple[object, ...]) -> None:
    if name == "subprocess.Popen":
        for load in _loads:
            load.processes += 1


@contextmanager
def counted() -> Iterator[Load]:
    """Count the queries, transactions and processes until the end of the block."""
    load = Load()
    _loads.append(load)

    def count_query(*_: object) -> None:
        load.queries += 1

    def count_transaction(*_: object) -> None:
        load.transactions += 1

    event.listen(Engine, "before_cursor_execute", count_query)
    event.listen(Engine, "begin", count_transaction)
    yield load
    _loads.remove(load)
    event.remove(Engine, "before_cursor_execute", count_query)
    event.remove(Engine, "begin", count_transaction)


def measure(size: int, repeats: int, environment: Environment) -> Iterator[Timing]:
    """Measure one size."""
    file = environment.home / "benchmark.crontab"
    untagged = environment.home / "untagged.crontab"
    environment.make_home()
    untagged.write_text("".join(f"# Job {n}\n{n % 60} 1 * * * /bin/job-{n}\n" for n in range(size)))

    def start_again() -> None:
        with database.administer(environment) as session:
            for table in ("tasks", "sync_base", "sync_operations", "snapshots", "events"):
                session.execute(text(f"truncate {table} cascade"))
        subprocess.run(["crontab", str(untagged)], check=True)

    def import_all() -> None:
        importing.import_entries(environment, ME)

    start_again()
    import_all()
    file.write_text(service.read_crontab(environment)[0] or "")
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
        service.sync(environment, Request(Actor.BACKGROUND))

    all_tasks = [task.id for task in tasks.listing(environment).tasks]
    some = all_tasks[:100]
    done: list[tasks.Applied] = []
    operations: list[operation_history.Operation] = []

    def edit(chosen: list[int]) -> None:
        minute = next(minutes)
        edits = [tasks.Edit(task, None, {"schedule": f"{minute} 3 * * *"}) for task in chosen]
        done.append(tasks.apply(environment, ME, edits))

    def edit_some() -> None:
        edit(some)

    def edit_all() -> None:
        edit(all_tasks)

    def undo_some() -> None:
        tasks.undo(environment, ME, done.pop())

    def edit_elsewhere() -> None:
        change_all()
        result = service.sync(environment, Request(ME))
        assert result.operation
        operations.append(operation_history.operation(environment, result.operation))

    def undo_operation() -> None:
        tasks.undo_operation(environment, ME, operations.pop())

    def delete_some() -> None:
        done.append(tasks.delete(environment, ME, *some))

    def edit_one() -> None:
        tasks.change(environment, ME, all_tasks[0], schedule=f"{next(minutes)} 2 * * *")

    reading, _ = median(repeats, list_it)
    writing, _ = median(repeats, install_it)
    committing, _ = median(repeats, commit)
    bare_write = reading + writing
    safe = 3 * reading + writing + committing
    for act, work, prepare, bare in (
        ("read and parse", read, forget_crontabs, reading),
        ("sync, nothing changed", sync, None, reading),
        ("sync, every task changed", sync, change_all, bare_write),
        ("one edit, saved and in the crontab", edit_one, None, bare_write),
        (f"{len(some)} edits at once", edit_some, None, bare_write),
        (f"{len(all_tasks)} edits at once", edit_all, None, bare_write),
        (f"undo of {len(some)} edits", undo_some, edit_some, bare_write),
        (f"undo of {len(some)} deletions", undo_some, delete_some, bare_write),
        ("undo of a sync of all", undo_operation, edit_elsewhere, bare_write),
        (f"import of {size}", import_all, start_again, bare_write),
    ):
        taken, cpu = median(repeats, work, prepare)
        if prepare:
            prepare()
        with counted() as load:
            work()
        yield Timing(size, act, taken, cpu, bare, safe, load)
    floors = f"-l {reading:.1f}, - {writing:.1f}, commit {committing:.1f} ms"
    print(f"        of the floors: {floors}", file=sys.stderr)


def figures(quick: bool = False) -> Iterator[Figure]:
    """Measure two sizes, or with `quick` one."""
    repeats, sizes = (3, (100,)) if quick else (15, (100, 1000))
    with private_database() as environment:
        for size in sizes:
            acts: set[str] = set()
            for timing in measure(size, repeats, environment):
                if timing.act in acts:
                    continue  # all edits are as many as some
                acts.add(timing.act)
                what = f"{timing.act}, {size} tasks"
                yield Figure("sync", what, timing.milliseconds, "ms", timing.safe, "a safe write")


@contextmanager
def private_database() -> Iterator[Environment]:
    """A private database, and this process prepared as the server prepares itself."""
    folder = tempfile.mkdtemp(prefix="pitasker-benchmark-")
    environment = Environment.from_environment({"PITASKER_HOME": folder})
    database.start(environment)
    # As the server does. Else a garbage collection of all modules would slow some calls.
    gc.collect()
    gc.freeze()
    try:
        yield environment
    finally:
        database.stop(environment)
        shutil.rmtree(folder)


def main() -> None:
    """Measure all sizes."""
    parser = argparse.ArgumentParser(description="Time the main acts.")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--sizes", default="10,100,1000")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    arguments = parser.parse_args()
    sys.addaudithook(_count_process)
    timings = []
    with private_database() as environment:
        print(_HEAD)
        for size in map(int, arguments.sizes.split(",")):
            for timing in measure(size, arguments.repeats, environment):
                timings.append(timing)
                print(timing, flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(timing) for timing in timings], indent=1))


if __name__ == "__main__":
    isolate()
    main()
