"""Measure the queries of each page after years of use.

    PYTHONPATH=. .venv/bin/python benchmarks/growth.py [--scale 1.0] [--json FILE]

A private PostgreSQL has 9,000 entries, 1,000,000 runs, 100,000 operations, 100,000 events and
10,000 snapshots; `--scale` is the part of the rows to make. Runs the script of each page in
Streamlit's test runner and lets PostgreSQL explain and time each of its queries. The time of
PostgreSQL alone depends less on other work of the machine than that of the script. Also prints the
tables of these that a query reads as a whole.
"""

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from private_world import isolate
from runs import FILL
from sqlalchemy import Engine, event, text
from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest

from pitasker_core import database, tasks
from pitasker_core.base.environment import Environment
from pitasker_core.server import auth
from pitasker_core.server.auth import Role
from pitasker_core.server.sites import Site
from pitasker_core.sync import importing, store

ENTRIES = 9_000
"""Cron refuses a crontab of more than 10,000 lines."""
RUNS, OPERATIONS, SNAPSHOTS = 1_000_000, 100_000, 10_000
PAGES = ("overview", "tasks", "runs", "timeline", "import_entries", "sync", "crontab")
GROWING = {"runs", "sync_operations", "snapshots", "events"}
FRONT_DOOR = Path(__file__).parent.parent / "streamlit_app.py"

SNAPSHOT_ROWS = text("""
    insert into snapshots (crontab, taken_at, sha256, bytes, reason, entries)
    select :crontab, now() - interval '2 years' * (:rows - n) / :rows,
        encode(sha256(cast('snapshot ' || n as bytea)), 'hex'),
        convert_to(repeat(n || ' 1 * * * /bin/job' || chr(10), 100), 'UTF8'), 'sync', 100
    from generate_series(1, :rows) as n
""")
OPERATION_ROWS = text("""
    insert into sync_operations (crontab, kind, actor, started_at, duration_ms, outcome, pushed,
        error_code, error_message, details)
    select :crontab, 'sync', 'background', now() - interval '2 years' * (:rows - n) / :rows, 20,
        case when n % 97 = 0 then 'failed' else 'success' end, n % 3,
        case when n % 97 = 0 then 'DATABASE_ERROR' end,
        case when n % 97 = 0 then 'The database failed.' end,
        jsonb_build_object('pushed', '[]'::jsonb, 'counts', jsonb_build_object(
            'states', jsonb_build_object('synced', 90, 'paused', 10), 'entries', 100,
            'managed', 100))
    from generate_series(1, :rows) as n
""")
EVENT_ROWS = text("""
    insert into events (crontab, at, actor, kind, task, before, after)
    select :crontab, now() - interval '2 years' * (:rows - n) / :rows, 'benchmark', 'changed',
        :first + n % :tasks, '{"name": "a"}', '{"name": "b"}'
    from generate_series(1, :rows) as n
""")


@dataclass(frozen=True)
class Measured:
    """One page: CPU milliseconds of its script, and of PostgreSQL for all and the slowest query."""

    page: str
    script: float
    queries: int
    database: float
    slowest: float
    scans: list[str]
    """The growing tables that a query reads as a whole."""
    statement: str
    """The slowest query."""


def fill(environment: Environment, scale: float) -> None:
    """Make all rows."""
    entries = int(ENTRIES * scale)
    lines = "".join(f"{n % 60} {n % 24} * * * /bin/job-{n}\n" for n in range(entries))
    subprocess.run(["crontab", "-"], input=lines.encode(), check=True)
    database.start(environment)
    importing.import_entries(environment, "benchmark")
    first = min(task.id for task in tasks.listing(environment).tasks)
    with database.session(environment) as session:
        crontab = store.own_crontab(session)
        runs = {"runs": int(RUNS * scale), "first": first, "tasks": entries, "crontab": crontab}
        session.execute(FILL, runs)
        session.execute(SNAPSHOT_ROWS, {"crontab": crontab, "rows": int(SNAPSHOTS * scale)})
        rows = {"crontab": crontab, "rows": int(OPERATIONS * scale)}
        session.execute(OPERATION_ROWS, rows)
        session.execute(EVENT_ROWS, {**rows, "first": first, "tasks": entries})
    with database.connect(environment).connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text("vacuum analyze"))


Statement = tuple[str, Any]
"""The text of a query and its parameters."""


@contextmanager
def noted() -> Iterator[list[Statement]]:
    """Collect the queries until the end of the block."""
    statements: list[Statement] = []

    def note(
        _connection: object, _cursor: object, statement: str, parameters: Any, *_: Any
    ) -> None:
        if statement.lstrip().lower().startswith(("select", "with")):
            statements.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    yield statements
    event.remove(Engine, "before_cursor_execute", note)


def explain(environment: Environment, statement: Statement) -> tuple[float, set[str]]:
    """Return PostgreSQL's milliseconds for a query, and the tables that it reads as a whole."""
    query, parameters = statement
    with database.connect(environment).connect() as connection:
        rows = connection.exec_driver_sql(f"explain (analyze, format json) {query}", parameters)
        answer = rows.scalar_one()[0]
        connection.rollback()
    return answer["Planning Time"] + answer["Execution Time"], set(scanned(answer["Plan"]))


def scanned(plan: dict[str, Any]) -> Iterator[str]:
    """Yield the tables that a plan reads as a whole."""
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    for part in plan.get("Plans", []):
        yield from scanned(part)


def measure(environment: Environment, page: str) -> Measured:
    """Measure one page."""
    app = AppTest.from_file(FRONT_DOOR, default_timeout=300).run()
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception, app.exception
    start = time.process_time()
    with noted() as statements:
        app.run()
    script = 1000 * (time.process_time() - start)
    explained = [explain(environment, statement) for statement in statements]
    times = [milliseconds for milliseconds, _ in explained]
    slowest = max(range(len(times)), key=times.__getitem__, default=0)
    scans = set().union(*(tables for _, tables in explained)) & GROWING
    return Measured(
        page,
        round(script, 1),
        len(times),
        round(sum(times), 1),
        round(max(times, default=0), 1),
        sorted(scans),
        " ".join(statements[slowest][0].split()) if statements else "",
    )


def main() -> None:
    """Measure all pages."""
    parser = argparse.ArgumentParser(description="Time the queries of each page after years.")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    arguments = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="pitasker-benchmark-")
    os.environ.pop("DATABASE_URL", None)
    os.environ["PITASKER_HOME"] = folder
    environment = Environment.from_environment()
    measured = []
    try:
        start = time.perf_counter()
        fill(environment, arguments.scale)
        print(f"filled in {time.perf_counter() - start:.0f} s")
        site = Site("http", "127.0.0.1", 8501)
        cookies = dict([auth.sign_in(environment, Role.WRITE, site)])
        ContextProxy.cookies = cookies  # type: ignore[misc]
        print(f"{'page':15} {'CPU ms':>8} {'queries':>8} {'all ms':>8} {'slowest':>8}  reads whole")
        for page in PAGES:
            row = measure(environment, page)
            measured.append(row)
            print(
                f"{page:15} {row.script:8.0f} {row.queries:8} {row.database:8.1f}"
                f" {row.slowest:8.1f}  {', '.join(row.scans)}",
                flush=True,
            )
            if row.slowest > 100:
                print(f"    {row.statement[:300]}")
    finally:
        database.stop(environment)
        shutil.rmtree(folder)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(row) for row in measured], indent=1))


if __name__ == "__main__":
    isolate()
    main()
