"""Measure the queries of the Runs page with a million runs.

    PYTHONPATH=. .venv/bin/python benchmarks/runs.py [repeats] [runs]

A private PostgreSQL has 100 tasks and a year of runs. One task runs every minute and has half of
the runs. Two percent of the runs failed; a few were missed, slow or started by hand. Prints the
milliseconds of each query and of a run of the page's script.
"""

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from figure import Figure
from private_world import isolate
from sqlalchemy import text
from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest

from pitasker_core import database, tasks
from pitasker_core.base import clock
from pitasker_core.base.environment import Environment
from pitasker_core.runs import durations, history, run_statistics
from pitasker_core.server import auth
from pitasker_core.server.auth import Role
from pitasker_core.server.sites import Site
from pitasker_core.sync import store

TASKS = 100
FRONT_DOOR = Path(__file__).parent.parent / "streamlit_app.py"

FILL = text("""
    insert into runs (crontab, task, name, source, started_at, ended_at, exit_code,
                      bytes, output, slow, missed, note)
    select :crontab, task, 'run-' || n, source, started_at,
           case when source = 'observed' then null else started_at + took end,
           case when source in ('missed', 'observed') then null when n % 49 = 0 then 1 else 0 end,
           case when source = 'missed' then 0 else 500 end,
           case when source = 'missed' then null else convert_to(repeat('output ', 10), 'UTF8') end,
           source = 'recorded' and n % 211 = 0,
           case when source = 'missed' then 3 else 0 end,
           case when source = 'missed' then 'the machine was off' else '' end
    from (
        select n,
               case when n % 2 = 0 then :first else :first + 1 + n / 2 % (:tasks - 1) end as task,
               now() - interval '365 days' * n / :runs as started_at,
               interval '1 second' * (5 + n % 9973 % 100 / 20.0) as took,
               case when n % 997 = 0 then 'missed' when n % 499 = 0 then 'by hand'
                    when n % 10 = 7 then 'observed' else 'recorded' end as source
        from generate_series(1, :runs) as n
    ) as made
    order by started_at
""")


def fill(environment: Environment, count: int) -> int:
    """Create tasks and runs. Returns the id of the task with the most runs."""
    created = [
        tasks.create(
            environment,
            "benchmark",
            tasks.NewTask(f"Job {n}", "* * * * *", "true", system_managed=False),
        )
        for n in range(TASKS)
    ]
    first = created[0].tasks[0].id
    with database.session(environment) as session:
        crontab_row = store.own_crontab(session)
        parameters = {"crontab": crontab_row, "runs": count, "first": first, "tasks": TASKS}
        session.execute(FILL, parameters)
    with database.connect(environment).connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        # The role that sees only its own rows owns no table, and PostgreSQL would leave them out.
        connection.execute(text("reset role"))
        connection.execute(text("vacuum analyze runs"))
    return first


def queries(environment: Environment, busy: int) -> dict[str, Callable[[], object]]:
    """Return the pages' queries, for all tasks and for the task with the most runs."""
    zone = clock.system_zone()
    month = clock.now() - timedelta(days=30)
    year = clock.now() - timedelta(days=365)
    run = history.runs(environment, 1, busy)[0]
    calls: dict[str, Callable[[], object]] = {}
    for scope, task in (("all", None), ("one", busy)):
        for kind in history.FILTERS:
            calls[f"{scope}: {kind}"] = lambda task=task, kind=kind: history.runs(
                environment, task=task, kind=kind, since=None
            )
        for period, since in (("month", month), ("year", year)):
            calls[f"{scope}: figures of a {period}"] = lambda task=task, since=since: (
                run_statistics.figures(environment, task, since)
            )
            calls[f"{scope}: hours of a {period}"] = lambda task=task, since=since: (
                run_statistics.hours(environment, task, since, zone)
            )
    return {
        **calls,
        "all: by task": lambda: run_statistics.by_task(environment, year),
        "all: is anything new": lambda: history.newest(environment),
        "one: durations": lambda: run_statistics.durations(environment, busy, year),
        "one: what is usual": lambda: durations.now(environment, busy),
        "one: bytes a day": lambda: run_statistics.bytes_per_day(environment, busy),
        "one: others to compare": lambda: history.others(environment, run),
        "one: run and output": lambda: (
            history.run(environment, run.id),
            history.output(environment, run.id),
        ),
    }


def measure(work: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Return the median and the 95th percentile in milliseconds. The first call does not count."""
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times[1:]), statistics.quantiles(times[1:], n=20)[-1]


def page(environment: Environment, busy: int) -> dict[str, Callable[[], object]]:
    """Return runs of the page's script in Streamlit's test runner."""
    os.environ["PITASKER_HOME"] = str(environment.home)
    site = Site("http", "127.0.0.1", 8501)
    cookies = dict([auth.sign_in(environment, Role.WRITE, site)])
    ContextProxy.cookies = cookies  # type: ignore[misc]
    calls = {}
    for name, task in (("all", ""), ("one", str(busy))):
        app = AppTest.from_file(FRONT_DOOR, default_timeout=60).run()
        app.switch_page("pages/runs.py")
        if task:
            app.query_params["task"] = task
        app.run()
        assert not app.exception, app.exception
        calls[f"page: {name}"] = app.run
    return calls


@contextmanager
def filled_database(count: int) -> Iterator[tuple[Environment, int]]:
    """A private database with tasks and runs. Yields the task with the most runs, too."""
    folder = tempfile.mkdtemp(prefix="pitasker-benchmark-")
    os.environ.pop("DATABASE_URL", None)
    environment = Environment.from_environment({"PITASKER_HOME": folder})
    try:
        yield environment, fill(environment, count)
    finally:
        database.stop(environment)
        shutil.rmtree(folder)


def figures(quick: bool = False) -> Iterator[Figure]:
    """Measure the queries of a million runs, or with `quick` of 20,000."""
    repeats, count = (3, 20_000) if quick else (20, 1_000_000)
    with filled_database(count) as (environment, busy):

        def ask() -> None:
            with database.session(environment) as session:
                session.execute(text("select 1"))

        floor, _ = measure(ask, repeats)
        for make in (queries, page):
            for what, work in make(environment, busy).items():
                median, _ = measure(work, repeats)
                name = f"{what}, {count:,} runs"
                yield Figure("runs", name, median, "ms", floor, "an empty query")


def main() -> None:
    """Measure everything."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    start = time.perf_counter()
    with filled_database(count) as (environment, busy):
        print(f"{count} runs made in {time.perf_counter() - start:.0f} s")
        print(f"{'what':28} {'median':>8} {'95th':>8}")
        # The page comes after the queries: its test runner takes a second to start.
        for make in (queries, page):
            for what, work in make(environment, busy).items():
                median, high = measure(work, repeats)
                print(f"{what:28} {median:8.1f} {high:8.1f}", flush=True)


if __name__ == "__main__":
    isolate()
    main()
