"""Measure the API with ten connections.

    PYTHONPATH=. .venv/bin/python benchmarks/api.py [--requests N] [--tasks N …] [--json]

A client on the same machine uses ten connections and a token on a server as `./pitasker up` starts
it. Prints milliseconds per answer, answers per second, and milliseconds of the server's CPU per
answer, which do not depend on the machine's load. `/healthz` is the lower limit: it does nothing.
"""

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time

import httpx
from private_world import cpu_seconds, isolate, start_server

from pitasker_core import database
from pitasker_core.base.environment import Environment
from pitasker_core.server import tokens
from pitasker_core.server.auth import Role
from pitasker_core.sync import importing

SIZES = (100, 1000)
CONNECTIONS = 10
PATHS = ("/api/crontab/status", "/api/tasks", "/api/crontab/metrics", "/healthz")


async def measure(address: str, path: str, token: str, requests: int) -> tuple[list[float], float]:
    """Return the time of each answer and the total time, in milliseconds."""
    times: list[float] = []
    left = iter(range(requests))
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=30) as client:

        async def work() -> None:
            for _ in left:
                start = time.perf_counter()
                answer = await client.get(path)
                times.append(1000 * (time.perf_counter() - start))
                assert answer.status_code == 200

        await client.get(path)
        start = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
        return times, 1000 * (time.perf_counter() - start)


def main() -> None:
    """Measure all sizes and paths."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--tasks", type=int, nargs="+", default=SIZES)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = []
    folder = tempfile.mkdtemp(prefix="pitasker-benchmark-")
    os.environ.pop("DATABASE_URL", None)
    for size in options.tasks:
        environment = Environment.from_environment({"PITASKER_HOME": f"{folder}/{size}"})
        text = "".join(f"# Job {n}\n{n % 60} 1 * * * /bin/job-{n}\n" for n in range(size))
        subprocess.run(["crontab", "-"], input=text.encode(), check=True)
        database.start(environment)
        importing.import_entries(environment, "benchmark")
        token = tokens.create(environment, "benchmark", "benchmark", Role.READ)
        server, address = start_server(environment)
        try:
            for path in PATHS:
                cpu = cpu_seconds(server.pid)
                times, total = asyncio.run(measure(address, path, token, options.requests))
                cpu = cpu_seconds(server.pid) - cpu
                rows.append(
                    {
                        "tasks": size,
                        "path": path,
                        "medianMs": round(statistics.median(times), 1),
                        "p95Ms": round(statistics.quantiles(times, n=20)[-1], 1),
                        "perSecond": round(1000 * options.requests / total),
                        "cpuMs": round(
                            1000 * (cpu_seconds(server.pid) - cpu) / options.requests, 2
                        ),
                    }
                )
        finally:
            server.terminate()
            server.wait()
            database.stop(environment)
    shutil.rmtree(folder)
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
