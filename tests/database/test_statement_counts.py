"""Work on many tasks takes few statements, and takes locks in one order."""

import operator
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from pitasker_core import database, tasks
from pitasker_core.base import clock, timings
from pitasker_core.base.actor import Actor
from pitasker_core.base.errors import Stale
from pitasker_core.dashboard import live
from pitasker_core.runs import history, spool
from pitasker_core.runs.missed import rows
from pitasker_core.runs.missed.detection import Gap
from pitasker_core.sync import edit, first_look, importing, operation_history, service
from pitasker_core.sync.service import Request
from pitasker_core.sync.stop_managing import stop_managing
from pitasker_core.tasks import Edit
from tests.helpers.databases import asked
from tests.helpers.runs import ran
from tests.helpers.waiting import patience, until

ME = "test"


def imported(environment, crontab, count):
    crontab.write(b"".join(b"%d 1 * * * /bin/job-%d\n" % (n % 60, n) for n in range(count)))
    importing.import_entries(environment, ME)
    return [task.id for task in tasks.listing(environment).tasks]


def edits(ids, schedule="5 5 * * *"):
    return [Edit(task, None, {"schedule": schedule, "labels": ["a"]}) for task in ids]


def statements_of_each_act(environment, crontab, count):
    ids = imported(environment, crontab, count)
    counts = {}

    def act(name, work):
        with asked() as statements:
            done = work()
        counts[name] = len(statements)
        return done

    act("preview", lambda: tasks.preview(environment, edits(ids)))
    done = act("apply", lambda: tasks.apply(environment, ME, edits(ids)))
    act("undo", lambda: tasks.undo(environment, ME, done))
    done = act("delete", lambda: tasks.delete(environment, ME, *ids))
    act("undo of a deletion", lambda: tasks.undo(environment, ME, done))
    with database.session(environment) as session:
        session.execute(text("update tasks set command = command || '+'"))
    synced = act("sync", lambda: service.sync(environment, Request(ME)))
    act("undo of a sync", lambda: tasks.undo_sync(environment, ME, synced))
    off = [Edit(task, None, {"system_managed": False}) for task in ids]
    act("switch off", lambda: tasks.apply(environment, ME, off))
    act("export", lambda: service.export(environment, ME, ids))
    act("release", lambda: stop_managing(environment, ME, ids))
    return counts


def test_no_act_on_many_tasks_asks_more_of_the_database_than_on_two(environment, crontab):
    _forget_old_connections(environment)
    few = statements_of_each_act(environment, crontab, 2)
    many = statements_of_each_act(environment, crontab, 25)
    assert many == few
    assert max(few.values()) < 30


def _forget_old_connections(environment):
    """Earlier tests may have left several connections, which an action would have to replace."""
    database.connect(environment).dispose()


@contextmanager
def counted() -> Iterator[list[str]]:
    """Return the numbers of statements, transactions and processes of an action."""
    with asked() as work:
        _acts.append(work)
        yield work
        _acts.remove(work)


_acts: list[list[str]] = []


def _note_process(name: str, _arguments: tuple[object, ...]) -> None:
    if name == "subprocess.Popen":
        for act in _acts:
            act.append("process")


sys.addaudithook(_note_process)

LIMITS = {
    "import of 100": (15, 6, 2, 4),
    "sync that finds nothing": (5, 2, 1, 1),
    "edit of one": (11, 4, 2, 4),
    "edit of 100": (11, 4, 2, 4),
    "undo": (11, 4, 2, 4),
    "sync of 100": (7, 2, 1, 4),
}
"""The limits of statements, waits for their answers, transactions and processes of each action."""


@pytest.mark.parametrize("name", LIMITS)
def test_no_act_needs_more_of_the_database_or_more_processes(environment, crontab, name):
    _forget_old_connections(environment)
    crontab.write(b"".join(b"%d 1 * * * /bin/job-%d\n" % (n % 60, n) for n in range(100)))
    first_look.keep_what_is_there(environment)
    service.preview(environment)
    acts = {"import of 100": lambda: importing.import_entries(environment, ME)}
    if name not in acts:
        importing.import_entries(environment, ME)
        ids = [task.id for task in tasks.listing(environment).tasks]
        applied = tasks.apply(environment, ME, edits(ids, "4 4 * * *"))
        acts = {
            "sync that finds nothing": lambda: service.sync(environment, Request(Actor.BACKGROUND)),
            "sync of 100": lambda: service.sync(environment, Request(ME)),
            "edit of one": lambda: tasks.apply(environment, ME, edits(ids[:1])),
            "edit of 100": lambda: tasks.apply(environment, ME, edits(ids)),
            "undo": lambda: tasks.undo(environment, ME, applied),
        }
    if name == "sync of 100":
        with database.session(environment) as session:
            session.execute(text("update tasks set command = command || '+'"))
    before = timings.totals["query"].count
    with counted() as work:
        acts[name]()
    waits = timings.totals["query"].count - before
    transactions, processes = work.count("begin"), work.count("process")
    needed = (len(work) - transactions - processes, waits, transactions, processes)
    assert all(map(operator.le, needed, LIMITS[name])), (needed, work)


def test_edits_of_many_tasks_are_written_whole_or_not_at_all(environment, crontab):
    ids = imported(environment, crontab, 3)
    before = tasks.listing(environment).tasks
    with pytest.raises(Stale):
        tasks.apply(environment, ME, [*edits(ids[:2]), Edit(ids[2], 99, {"name": "New"})])
    assert tasks.listing(environment).tasks == before


def test_a_preview_leaves_a_wrong_edit_out_and_shows_the_others(environment, crontab):
    first, second = imported(environment, crontab, 2)
    wrong = Edit(first, None, {"name": "Renamed", "schedule": "61 * * * *"})
    shown = tasks.preview(environment, [wrong, Edit(second, None, {"schedule": "9 9 * * *"})])
    assert list(shown.problems) == [first]
    assert "Renamed" not in shown.after
    assert "9 9 * * * /bin/job-1" in shown.after


def record(environment, *ids):
    """Write records of runs of these tasks, in this order, as recorders do."""
    environment.spool.mkdir(parents=True, exist_ok=True)
    for number, task in enumerate(ids):
        started = 1_700_000_000 + number
        ended = '{"started": %d, "ended": %d, "seconds": 1, "exit_code": 0}'
        file = environment.spool / f"{task}-{started}000000000-{100 + number}.json"
        file.write_text(ended % (started, started + 1))


def test_runs_are_taken_in_while_a_sync_holds_its_crontab(environment, crontab):
    (task,) = imported(environment, crontab, 1)
    record(environment, task)
    with database.session(environment) as session:
        service.store.own_crontab(session, lock=True)
        taker = threading.Thread(target=spool.collect, args=(environment,), daemon=True)
        taker.start()
        taker.join(timeout=patience())
        assert not taker.is_alive()


def test_taking_in_runs_locks_tasks_in_the_order_of_a_sync(environment, crontab):
    first, second = sorted(imported(environment, crontab, 2))
    record(environment, second, first)
    with database.session(environment) as session:
        service.store.lock_tasks(session, [first])
        taker = threading.Thread(target=spool.collect, args=(environment,), daemon=True)
        taker.start()
        until(lambda: is_waiting(environment))
        # It holds no lock that a sync at the first task would wait for.
        session.execute(text(f"select from tasks where id = {second} for update nowait"))
    taker.join(timeout=patience())
    assert not taker.is_alive()


def test_each_search_of_a_run_by_name_names_its_crontab(environment, crontab):
    # The index of names begins with the crontab: without it, a search reads the whole history.
    (task,) = imported(environment, crontab, 1)
    record(environment, task, task)
    first, second = sorted(file.stem for file in environment.spool.glob("*.json"))
    ran(environment, tasks.get(environment, task), name=first, ended_at=None, exit_code=None)
    with asked() as statements:
        spool.collect(environment)
        assert history.named(environment, first).state == "success"
        assert history.named(environment, second).state == "success"
        with database.session(environment) as session:
            crontab_row = service.store.own_crontab(session)
            rows.write(session, crontab_row, task, Gap((clock.now(),), "the machine was off"))
    by_name = [words for words in statements if re.search(r"runs\.name (=|IN)", words)]
    assert [words.split()[0] for words in by_name] == ["SELECT", "UPDATE", *["SELECT"] * 3]
    assert [words for words in by_name if "runs.crontab = " not in words] == []


def is_waiting(environment):
    with database.administer(environment) as connection:
        query = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
        return connection.scalar(text(f"{query} and datname = current_database()"))


def test_no_list_loads_the_bodies_of_what_it_lists(environment, crontab):
    imported(environment, crontab, 3)
    with asked() as statements:
        operations, snapshots = (
            operation_history.operations(environment),
            edit.snapshots(environment),
        )
    assert operations
    assert snapshots
    lists = " ".join(" ".join(statements).split()).replace("octet_length(snapshots.bytes)", "")
    assert "FROM sync_operations" in lists
    assert "FROM snapshots" in lists
    assert "details" not in lists
    assert "snapshots.bytes" not in lists


def test_forgetting_a_row_never_scans_a_table_for_what_refers_to_it(environment):
    with database.administer(environment) as connection:
        missing = connection.scalars(
            text("""
                select conrelid::regclass || '.' || attname
                from pg_constraint join pg_attribute on attrelid = conrelid and attnum = conkey[1]
                where contype = 'f' and confrelid <> 'crontabs'::regclass and not exists (
                    select from pg_index where indrelid = conrelid and indkey[0] = conkey[1]
                )
            """)
        ).all()
    assert missing == []


def backend(environment):
    with database.session(environment) as session:
        return session.scalar(text("select pg_backend_pid()"))


def test_a_connection_in_use_is_not_tested_by_a_query(environment, monkeypatch):
    first = backend(environment)
    monkeypatch.setattr(database.connect(environment).dialect, "do_ping", None)
    assert backend(environment) == first


def test_a_session_replaces_a_connection_that_the_server_ended(environment):
    first = backend(environment)
    limit = round(1000 * patience())
    with database.administer(environment) as connection:
        assert connection.scalar(text(f"select pg_terminate_backend({first}, {limit})"))
    assert backend(environment) != first


PAGES = {
    "overview": (4, 0),
    "tasks": (5, 1),
    "sync": (6, 1),
    "crontab": (1, 1),
    "runs": (6, 1),
    "timeline": (4, 1),
}
"""The statements and processes of a page that is drawn again when nothing has changed."""


def test_a_page_that_is_drawn_again_asks_no_more_than_before(
    environment, crontab, open_page, monkeypatch
):
    imported(environment, crontab, 2)
    app, needed = open_page("overview"), {}
    monkeypatch.setattr(live, "FRESH", 3600.0)  # all pages of a server share what it reads
    for page in PAGES:
        if page != "overview":
            app.switch_page(f"pages/{page}.py")
        app.run()
        needed[page] = min(_work_of(app.run) for _ in range(3))
    assert needed == PAGES


def _work_of(draw):
    """Return the numbers of statements and processes. Other tests' databases may add some."""
    with counted() as work:
        draw()
    processes = work.count("process")
    return len(work) - work.count("begin") - processes, processes
