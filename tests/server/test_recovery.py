"""Servers under load and after failures lose no acknowledged change."""

import os
import re
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest

from pitasker_core import database, tasks
from pitasker_core.database import embedded
from pitasker_core.server import background, tokens
from pitasker_core.server.auth import Role
from pitasker_core.sync import service
from pitasker_core.sync.service import Request
from tests.helpers.examples import ME
from tests.helpers.signing_in import cookies
from tests.helpers.waiting import patience, until

pytestmark = pytest.mark.slow


def post(address, token, number):
    """Create a task over HTTP. Returns the status, or 0 if the connection broke."""
    task = {"name": f"Job {number}", "cronSchedule": "@daily", "command": f"/bin/job-{number}"}
    headers = {"authorization": f"Bearer {token}"}
    try:
        answer = httpx.post(f"{address}/api/tasks", json=task, headers=headers, timeout=patience())
    except httpx.TransportError:
        return 0
    return answer.status_code


def jobs(text):
    return Counter(re.findall(rb"/bin/job-(\d+) # PITASKER_ID:", text))


def test_two_servers_on_one_crontab_lose_and_double_nothing(serve, environment, crontab):
    addresses = [serve(), serve()]
    token = tokens.create(environment, ME, "load", Role.WRITE)
    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(lambda n: post(addresses[n % 2], token, n), range(24)))
    assert codes == [201] * 24
    assert jobs(crontab.read()) == {str(n).encode(): 1 for n in range(24)}
    until(lambda: background.is_running(environment))
    with database.session(environment) as session:
        holders = session.scalar(
            database.text(
                "select count(*) from pg_locks where locktype = 'advisory' and granted and database"
                " = (select oid from pg_database where datname = current_database())"
            )
        )
    assert holders == 1
    assert not service.preview(environment).plan.changes


def test_a_killed_postgres_loses_no_promised_task_and_ends_with_its_server(
    serve, environment, crontab, tmp_path
):
    private = replace(environment, database_url=None)
    address = serve(DATABASE_URL="")
    try:
        token = tokens.create(private, ME, "load", Role.WRITE)
        promised, stopping = set(), threading.Event()

        def load(start):
            number = start
            while not stopping.is_set():
                if post(address, token, number) == 201:
                    promised.add(str(number).encode())
                number += 2

        workers = [threading.Thread(target=load, args=(start,)) for start in (0, 1)]
        for worker in workers:
            worker.start()
        until(lambda: len(promised) >= 5)
        os.kill(int((private.postgres / "data" / "postmaster.pid").read_text().split()[0]), 9)
        before = len(promised)
        until(lambda: len(promised) >= before + 5)
        stopping.set()
        for worker in workers:
            worker.join(timeout=patience())
        service.sync(private, Request(ME))
        entries = jobs(crontab.read())
        assert promised <= set(entries)
        assert set(entries.values()) == {1}
        names = {task.command.rpartition("-")[2].encode() for task in tasks.listing(private).tasks}
        assert names == set(entries)
        cookie = cookies(private, address)
        assert (
            httpx.get(f"{address}/api/crontab/status", cookies=cookie).json()["health"] == "green"
        )
    finally:
        stopping.set()
        embedded.stop_in(private.postgres)
