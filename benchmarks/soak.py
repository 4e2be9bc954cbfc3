"""Let a server work for long, and look at its memory, connections and files.

    PYTHONPATH=. .venv/bin/python benchmarks/soak.py [--reruns N] [--loads N] [--hours N] [--json]

A client on a websocket, as a browser's tab, reruns the page Tasks and loads pages anew on a server
as `./pitasker up` starts it. Then the background work of some hours is done in minutes: each of its
minutes takes `--minute` seconds. Prints each figure with its limit, and exits with 1 if one is over
it. Memory is PSS: a process's own memory and its share of what it shares.
"""

import argparse
import asyncio
import json
import logging
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
from private_world import isolate, start_server
from sqlalchemy import text
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from pitasker_core import database
from pitasker_core.base.environment import Environment
from pitasker_core.runs import records, spool
from pitasker_core.server import auth, sites
from pitasker_core.server.auth import Role
from pitasker_core.server.background import Background
from pitasker_core.sync import importing

PAGES = ("overview", "tasks", "timeline", "runs", "sync", "crontab", "settings")
TASKS = 100
WARM_UP = 100
"""Reruns and loads before memory is measured: caches fill, modules are imported."""

PARTS = 10
"""Memory is measured after each of these parts of the page loads: growth must end."""

OPEN_FILES = 128 * 3 + 50
"""Streamlit keeps up to 128 sessions of closed tabs for a time, each with three files (a loop)."""


@dataclass(frozen=True)
class Result:
    """A measured value, and the most that it may be."""

    what: str
    value: float
    unit: str
    limit: float | None = None

    def __str__(self) -> str:
        limit = "" if self.limit is None else f"   limit {self.limit:g}"
        return (
            f"{self.what:52} {self.value:10.1f} {self.unit}{limit}{'' if self.holds else '  OVER'}"
        )

    @property
    def holds(self) -> bool:
        """Whether the value is within its limit."""
        return self.limit is None or self.value <= self.limit


def megabytes(pid: int | str) -> float:
    """Return a process's memory (PSS)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def open_files(pid: int) -> list[str]:
    """Return what the open files of a process are, such as `socket:[1234]`."""
    targets = []
    for handle in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            targets.append(str(handle.readlink()))
    return targets


def connections(pid: int) -> int:
    """Return the number of a process's TCP connections, without sockets that listen (proc(5))."""
    lines = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    connected = {f"socket:[{words[9]}]" for words in lines if words[3] != "0A"}
    return len(connected.intersection(open_files(pid)))


class Tab:
    """A tab of a browser: a websocket of a signed-in person."""

    def __init__(self, address: str, cookies: dict[str, str]) -> None:
        self._address = address
        self._cookies = "; ".join(f"{name}={value}" for name, value in cookies.items())

    def open(self) -> connect:
        """Return the connection, to be used as an asynchronous context."""
        return connect(
            self._address.replace("http", "ws") + "/_stcore/stream",
            additional_headers={"cookie": self._cookies, "origin": self._address},
            subprotocols=["streamlit"],  # type: ignore[list-item]
            max_size=None,
        )

    async def rerun(self, connection: ClientConnection, page: str) -> None:
        """Run the page's script to its end."""
        message = BackMsg()
        message.rerun_script.page_name = page
        message.rerun_script.query_string = ""
        await connection.send(message.SerializeToString())
        async for data in connection:
            answer = ForwardMsg()
            answer.ParseFromString(data)  # type: ignore[arg-type]
            if answer.WhichOneof("type") == "script_finished":
                if answer.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    continue
                return


async def rerun_often(tab: Tab, count: int) -> None:
    """Rerun the page Tasks in one tab."""
    async with tab.open() as connection:
        for _ in range(count):
            await tab.rerun(connection, "tasks")


async def load_often(tab: Tab, address: str, count: int) -> None:
    """Load pages anew: the document, and a new session on a new websocket."""
    async with httpx.AsyncClient(base_url=address) as client:
        for number in range(count):
            page = PAGES[number % len(PAGES)]
            await client.get(f"/{page}")
            async with tab.open() as connection:
                await tab.rerun(connection, page)


def soak_server(environment: Environment, reruns: int, loads: int) -> Iterator[Result]:
    """Measure a server under reruns and page loads."""
    server, address = start_server(environment)
    try:
        site = sites.parse_origin(address)
        assert site
        tab = Tab(address, dict([auth.sign_in(environment, Role.WRITE, site)]))
        asyncio.run(load_often(tab, address, WARM_UP // 2))
        asyncio.run(rerun_often(tab, WARM_UP))
        start = megabytes(server.pid)
        yield Result("server: memory after the warm-up", start, "MB")
        asyncio.run(rerun_often(tab, reruns))
        after = megabytes(server.pid)
        yield Result(f"server: more memory after {reruns} reruns", after - start, "MB", 15)
        for part in range(1, PARTS + 1):
            asyncio.run(load_often(tab, address, loads // PARTS))
            grown = megabytes(server.pid) - after
            done = loads // PARTS * part
            yield Result(f"server: more memory after {done} page loads", grown, "MB", 25)
        deadline = time.monotonic() + 30
        while connections(server.pid) and time.monotonic() < deadline:
            time.sleep(0.5)
        yield Result("server: open connections of closed tabs", connections(server.pid), "", 0)
        yield Result("server: open files", len(open_files(server.pid)), "", OPEN_FILES)
        with database.session(environment) as session:
            own = session.scalar(
                text("select count(*) from pg_stat_activity where application_name = 'pitasker'")
            )
        yield Result("PostgreSQL: connections of PiTasker", own or 0, "", 15)
    finally:
        server.terminate()
        server.wait()


def soak_background(environment: Environment, hours: float, minute: float) -> Iterator[Result]:
    """Do the background work of some hours, when nothing changes."""
    database.start(environment)
    # A job that is not finished when its next turn comes leaves the turn out, and says so.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    background = Background(environment, minute)
    background.start()
    try:
        while not background.leads:
            time.sleep(0.1)
        time.sleep(60 * minute)  # an hour to warm up
        start, before = megabytes("self"), written(environment)
        time.sleep(60 * hours * minute)
        grown = megabytes("self") - start
        yield Result(f"background: more memory after {hours:g} hours", grown, "MB", 10)
        kilobytes = (written(environment) - before) / 1024 * 24 / hours
        what = "background: written a day when idle (WAL and logs)"
        yield Result(what, kilobytes, "kB", 5 * 1024)
    finally:
        background.stop()


def written(environment: Environment) -> int:
    """Return the bytes that were written to the write-ahead log and to log files."""
    with database.session(environment) as session:
        log = session.scalar(text("select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')")) or 0
    return int(log) + size(environment.home / "logs")


def size(folder: Path) -> int:
    """Return the bytes in the files of a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def files(environment: Environment) -> Iterator[Result]:
    """Measure the files that could grow."""
    spool.collect(environment)
    yield Result("logs", size(environment.home / "logs") / 2**20, "MB", 12)
    yield Result("spool: runs that wait", len(records.left(environment)), "", 0)
    yield Result("backups of the crontab", len(list(environment.backups.iterdir())), "files", 201)
    yield Result("database", size(environment.postgres) / 2**20, "MB", 150)


def main() -> None:
    """Soak, and print the figures."""
    parser = argparse.ArgumentParser(description="Let a server work for long.")
    parser.add_argument("--reruns", type=int, default=1000)
    parser.add_argument("--loads", type=int, default=10_000)
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--minute", type=float, default=0.25, help="seconds of a minute")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="pitasker-soak-"))
    os.environ.pop("DATABASE_URL", None)
    environment = Environment.from_environment({"PITASKER_HOME": str(folder)})
    entries = "".join(f"# Job {n}\n{n % 60} 1 * * * /bin/job-{n}\n" for n in range(TASKS))
    subprocess.run(["crontab", "-"], input=entries.encode(), check=True)
    results = []
    try:
        database.start(environment)
        importing.import_entries(environment, "soak")
        for part in (
            soak_server(environment, options.reruns, options.loads),
            soak_background(environment, options.hours, options.minute),
            files(environment),
        ):
            for result in part:
                results.append(result)
                if not options.json:
                    print(result, flush=True)
    finally:
        database.stop(environment)
        shutil.rmtree(folder)
    if options.json:
        print(json.dumps([asdict(result) for result in results], indent=1))
    raise SystemExit(not all(result.holds for result in results))


if __name__ == "__main__":
    isolate()
    main()
