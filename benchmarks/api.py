"""Measure the API with ten connections.

    PYTHONPATH=. .venv/bin/python benchmarks/api.py [--requests N] [--tasks N …] [--json]

A client on the same machine uses ten connections and a token on a server as `./pitasker up` starts
it. Prints milliseconds per answer, answers per second, and milliseconds of the server's CPU per
answer, which do not depend on the machine's load. `/healthz` is the lower limit: it does nothing.

The client writes to plain connections: httpx needs more CPU for an answer than the server does.
"""

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from figure import Figure
from private_world import cpu_seconds, isolate, pss_megabytes, start_server, time_start, with_tasks

from pitasker_core.base.environment import Environment
from pitasker_core.server import tokens
from pitasker_core.server.auth import Role

SIZES = (100, 1000)
CONNECTIONS = 10
PATHS = ("/api/crontab/status", "/api/tasks", "/api/crontab/metrics", "/healthz")


async def measure(address: str, path: str, token: str, requests: int) -> tuple[list[float], float]:
    """Return the time of each answer and the total time, in milliseconds."""
    server = urlsplit(address)
    headers = f"host: {server.netloc}\r\nauthorization: Bearer {token}\r\n"
    request = f"GET {path} HTTP/1.1\r\n{headers}\r\n".encode()
    times: list[float] = []
    left = iter(range(requests))

    async def work() -> None:
        reader, writer = await asyncio.open_connection(server.hostname, server.port)
        for _ in left:
            start = time.perf_counter()
            writer.write(request)
            await _read_answer(reader)
            times.append(1000 * (time.perf_counter() - start))
        writer.close()

    urllib.request.urlopen(_with_token(address + path, token)).read()  # noqa: S310
    start = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
    return times, 1000 * (time.perf_counter() - start)


def _with_token(url: str, token: str) -> urllib.request.Request:
    return urllib.request.Request(url, headers={"authorization": f"Bearer {token}"})  # noqa: S310


async def _read_answer(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)^content-length: (\d+)", head, re.MULTILINE)
    assert head.startswith(b"HTTP/1.1 200 "), head
    assert length, head
    await reader.readexactly(int(length[1]))


def measure_edits(address: str, environment: Environment, repeats: int) -> "Edits":
    """Measure edits of a task, each saved and in the crontab, beside bare calls of `crontab`."""
    token = tokens.create(environment, "benchmark", "edits", Role.WRITE)
    connection = HTTPConnection(urlsplit(address).netloc, timeout=30)
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}

    def ask(method: str, path: str, body: object = None) -> Any:
        connection.request(method, path, json.dumps(body), headers)
        answer = connection.getresponse()
        data = answer.read()
        assert answer.status == 200, data
        return json.loads(data)

    times, floors = [], []
    task = ask("GET", "/api/tasks")["tasks"][0]["id"]
    for number in range(repeats + 1):
        start = time.perf_counter()
        ask("PATCH", f"/api/tasks/{task}", {"cronSchedule": f"{number} 2 * * *"})
        times.append(1000 * (time.perf_counter() - start))
        start = time.perf_counter()
        text = subprocess.run(["crontab", "-l"], capture_output=True, check=True).stdout
        subprocess.run(["crontab", "-"], input=text, check=True)
        floors.append(1000 * (time.perf_counter() - start))
    connection.close()
    return Edits(statistics.median(times[1:]), statistics.median(floors[1:]))


@dataclass(frozen=True)
class Edits:
    """The medians, in milliseconds, of an edit by the API and of bare calls of `crontab`."""

    edit: float
    floor: float


@dataclass(frozen=True)
class Row:
    """The answers of a path. Times are in milliseconds."""

    tasks: int
    path: str
    median: float
    p95: float
    per_second: float
    cpu: float


@dataclass(frozen=True)
class ServerFigures:
    """The milliseconds until a server's sign-in page and until ready, and its idle megabytes."""

    start: list[float]
    memory: dict[str, float]


def measure_size(size: int, requests: int) -> Iterator[Row | Edits | ServerFigures]:
    """Measure a server with this number of tasks."""
    with with_tasks(size) as environment:
        token = tokens.create(environment, "benchmark", "benchmark", Role.READ)
        server, address, start = time_start(environment)
        try:
            _wait_for_page_imports(server.pid)
            for path in PATHS:
                before = cpu_seconds(server.pid)
                times, total = asyncio.run(measure(address, path, token, requests))
                cpu = 1000 * (cpu_seconds(server.pid) - before) / requests
                p95 = statistics.quantiles(times, n=20)[-1]
                rate = 1000 * requests / total
                yield Row(size, path, statistics.median(times), p95, rate, cpu)
            yield measure_edits(address, environment, requests // 10)
        finally:
            server.terminate()
            server.wait()
        yield ServerFigures(start, measure_memory(environment))


def measure_first_start() -> list[float]:
    """Return the milliseconds of a server that first creates its database."""
    with tempfile.TemporaryDirectory(prefix="pitasker-benchmark-") as folder:
        os.environ.pop("DATABASE_URL", None)
        environment = Environment.from_environment({"PITASKER_HOME": folder})
        server, _, taken = time_start(environment)
        server.terminate()  # it also stops its PostgreSQL
        server.wait()
    return taken


def measure_memory(environment: Environment) -> dict[str, float]:
    """Return the memory of a server without and with what pages need."""
    server, address = start_server(environment)
    try:
        return dict(_memory(server.pid, environment, address))
    finally:
        server.terminate()
        server.wait()


def _memory(server: int, environment: Environment, address: str) -> Iterator[tuple[str, float]]:
    """Return the memory of the idle server, alone and with PostgreSQL, and after a page."""
    pid_file = environment.postgres / "data" / "postmaster.pid"
    postgres = int(pid_file.read_text().splitlines()[0])
    yield "memory of the server alone, before a page", pss_megabytes(server)
    yield "memory with PostgreSQL, before a page", pss_megabytes(server, postgres)
    # After a page, the server imports what pages need.
    urllib.request.urlopen(f"{address}/login", timeout=30).read()  # noqa: S310
    _wait_for_page_imports(server)
    yield "memory with PostgreSQL, with the packages of pages", pss_megabytes(server, postgres)


def _wait_for_page_imports(server: int) -> None:
    """Wait until a server that has answered a page is idle."""
    busy = -1.0
    while busy < (busy := cpu_seconds(server)) or "pandas" not in _maps(server):
        time.sleep(1)


def _maps(pid: int) -> str:
    return Path(f"/proc/{pid}/maps").read_text()


def _starts(what: str, times: list[float]) -> Iterator[Figure]:
    for until, taken in zip(("the sign-in page", "all is ready"), times, strict=True):
        yield Figure("server", f"{what}, until {until}", taken)


def figures(quick: bool = False) -> Iterator[Figure]:
    """Measure the server, with `quick` by fewer requests."""
    yield from _starts("start, with initdb", measure_first_start())
    for size in (100,) if quick else SIZES:
        measured = list(measure_size(size, 200 if quick else 300))
        rows = [row for row in measured if isinstance(row, Row)]
        floor = next(row.median for row in rows if row.path == "/healthz")
        for row in rows:
            what = f"GET {row.path}, {size} tasks, 10 connections"
            yield Figure("server", what, row.median, "ms", floor, "/healthz")
            yield Figure("server", what, row.per_second, "a second")
        for row in measured:
            if isinstance(row, Edits):
                what = f"PATCH /api/tasks/1, in the crontab, {size} tasks"
                yield Figure("server", what, row.edit, "ms", row.floor, "`crontab -l` and `-`")
            if isinstance(row, ServerFigures):
                yield from _starts(f"start, PostgreSQL runs, {size} tasks", row.start)
                for what, megabytes in row.memory.items():
                    yield Figure("server", f"{what}, {size} tasks", megabytes, "MB")


def main() -> None:
    """Measure all sizes and paths."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--tasks", type=int, nargs="+", default=SIZES)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = [
        {
            "tasks": row.tasks,
            "path": row.path,
            "medianMs": round(row.median, 1),
            "p95Ms": round(row.p95, 1),
            "perSecond": round(row.per_second),
            "cpuMs": round(row.cpu, 2),
        }
        for size in options.tasks
        for row in measure_size(size, options.requests)
        if isinstance(row, Row)
    ]
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    print(f"{'tasks':>6}  {'path':22} {'median':>8} {'95th':>8} {'a second':>9} {'CPU ms':>7}")
    for row in rows:
        print(
            f"{row['tasks']:6}  {row['path']:22} {row['medianMs']:8} {row['p95Ms']:8} "
            f"{row['perSecond']:9} {row['cpuMs']:7}"
        )


if __name__ == "__main__":
    isolate()
    main()
