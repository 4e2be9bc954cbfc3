"""Any sequence of actions here and by hand keeps the promises of sync.

A state machine over the whole service, on the real crontab and the real PostgreSQL. It is small in
CI. A long search: `EXAMPLES=500 .venv/bin/python -m pytest tests/system/test_whole_service.py`.

Handwritten texts are numbered, and so are the names given here ("Task 7"). So the owner of a line
is clear without the tested code.
"""

import os
import re
from collections import Counter, defaultdict
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from sqlalchemy import text as sql

from pitasker_core import database, tasks
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import CrontabReverted, MassRemoval, PiTaskerError
from pitasker_core.crontab.document import decode, encode, parse, split_stdin
from pitasker_core.database.tables import Base
from pitasker_core.sync import edit, fixes, importing, service, stop_managing, validation
from pitasker_core.sync.fixes import Fix
from pitasker_core.sync.service import Request
from pitasker_core.sync.validation import Discrepancy

ME = "test"
EXAMPLES = int(os.environ.get("EXAMPLES", "8"))
FAULTY = """#!/bin/sh
case "$1" in -l) ;; *) [ -e {flag} ] && [ "$(cat {flag})" = refuse ] && exit 1 ;; esac
"$REAL_CRONTAB" "$@"; code=$?
case "$1" in -l|-n|-T) exit $code ;; esac
[ -e {flag} ] && exit 1
exit $code
"""
OWN_COMMENT = re.compile(r"# Task \d+")
SCHEDULES = st.sampled_from(["0 5 * * *", "*/7\t1-3 * * mon", "@daily", "30 6 1 * *"])
COMMANDS = st.sampled_from(["/bin/job", "cat%in%put", "echo 'a b'  c", r"date +\%F"])


def lines_of(text):
    return parse(text).lines


def persons(text):
    """Return the lines of a text that no task manages and that PiTasker did not write."""
    return [
        line.raw
        for line in lines_of(text)
        if not getattr(line, "tag", None) and not OWN_COMMENT.fullmatch(line.raw.rstrip("\n"))
    ]


def entries(text):
    """Return the managed entries' lines by tag."""
    return {entry.tag: entry for _, entry in parse(text).entries() if entry.tag}


def own_names_in(text):
    """Yield the tag of each managed entry with the name that PiTasker wrote above it."""
    document = parse(text)
    for index, entry in document.entries():
        above = document.lines[index - 1].raw.rstrip("\n") if index else ""
        if entry.tag and OWN_COMMENT.fullmatch(above):
            yield entry.tag, above.removeprefix("# ")


class Service(RuleBasedStateMachine):
    """A user's crontab and tasks."""

    world = None
    """The environment, the crontab, and the file that makes `crontab` fail. Set for each test."""

    def __init__(self):
        super().__init__()
        self.environment, self.crontab, self.flag = self.world
        self.crontab.remove()
        self.flag.unlink(missing_ok=True)
        tables = ", ".join(set(Base.metadata.tables) - {"crontabs"})
        with database.administer(self.environment) as connection:
            connection.execute(sql(f"truncate {tables} restart identity"))
        self.number = 0
        self.names = {}
        self.restored_names = defaultdict(set)
        self.last = None

    # Queries.

    def text(self):
        return decode(self.crontab.read() or b"")

    def tasks(self):
        return tasks.listing(self.environment).tasks

    def some(self, data, *, on=None):
        choice = [t for t in self.tasks() if on is None or t.system_managed is on]
        return data.draw(st.sampled_from(choice), "task") if choice else None

    def count(self):
        self.number += 1
        return self.number

    def state(self):
        return self.text(), [replace(t, synced_at=None) for t in self.tasks()]

    @contextmanager
    def act(self, *, targets=(), takes=(), adds=()):
        """Check what an action of PiTasker left unchanged. `takes` and `adds` are handwritten lines
        that it had to change."""
        before, tasks_before = self.state()
        takes = [*takes, *self.waiting(targets)]
        tags = {task.tag for task in tasks_before if task.id in targets}
        problem = None
        try:
            yield
        except PiTaskerError as raised:
            problem = raised
        after = self.text()
        if problem and "nothing was changed" in problem.user_message.lower():
            assert self.state() == (before, tasks_before), problem.user_message
        lost, new = Counter(persons(before)), Counter(persons(after))
        assert not (lost - new) - Counter(takes), (before, after)
        assert not (new - lost) - Counter(adds) - self.own_names(), (before, after)
        if not takes and not adds:
            assert persons(before) == persons(after)
        was, now = entries(before), entries(after)
        for tag in was.keys() & now.keys():
            if tag not in tags and tag in self.quiet:
                assert was[tag].raw == now[tag].raw
            assert was[tag].words == now[tag].words

    def waiting(self, targets):
        """Return the handwritten lines that imports of these tasks could not tag yet."""
        compared = service.preview(self.environment)
        return [
            compared.document.lines[index].raw
            for tag, index in compared.reading.lost.items()
            if compared.tasks_by_tag[tag].task in targets
        ]

    def own_names(self):
        """Return comments that PiTasker may write: the names of imported tasks too."""
        return Counter([f"# {name}\n" for name in self.names.values()] * 9)

    quiet = frozenset()

    def settle(self):
        """A sync that works: both sides agree or there is a conflict, and another does nothing."""
        before = self.text()
        try:
            service.sync(self.environment, Request(ME))
        except (MassRemoval, CrontabReverted):
            service.sync(self.environment, Request(ME, confirmed=True))
        settled = self.text()
        # An import that `crontab` refused is completed now.
        lost, new = Counter(persons(before)), Counter(persons(settled))
        tagged = {(e.schedule, e.command) for e in entries(settled).values()}
        for raw in (lost - new).elements():
            [line] = lines_of(raw)
            assert (line.schedule, line.command) in tagged, (before, settled)
        assert not new - lost - self.own_names(), (before, settled)
        compared = service.preview(self.environment)
        held = compared.reading.held(compared.document)
        open_changes = [c for c in compared.plan.changes if c not in compared.plan.conflicts]
        failed = {t.tag for t in self.tasks() if t.sync_error}
        assert not [c for c in open_changes if c.tag not in failed | held.keys()]
        again = service.sync(self.environment, Request(ME, confirmed=True))
        assert self.text() == settled
        assert not [c for c in again.pulled + again.pushed if c.tag not in failed]
        self.quiet = frozenset(entries(settled))
        self.check_tasks()

    def check_tasks(self):
        for task in self.tasks():
            name = self.names.setdefault(task.id, task.name)
            assert task.name in {name} | self.restored_names[task.tag]
            # The words of an entry that is no longer managed are a comment in its command.
            assert "ask me" not in split_stdin(task.command)[0].split(" #")[0]

    # Actions in PiTasker.

    @rule(schedule=SCHEDULES, command=COMMANDS, paused=st.booleans())
    def create(self, schedule, command, paused):
        with self.act():
            name = f"Task {self.count()}"
            self.last = tasks.create(
                self.environment, ME, tasks.NewTask(name, schedule, command, paused=paused)
            )
            self.names[self.last.tasks[0].id] = name

    @rule(data=st.data(), schedule=SCHEDULES, command=COMMANDS)
    def change(self, data, schedule, command):
        if task := self.some(data):
            fields = data.draw(
                st.sampled_from(
                    [
                        {"schedule": schedule},
                        {"command": command},
                        {"paused": not task.paused},
                        {"record_runs": not task.record_runs},
                        {"name": f"Task {self.count()}"},
                    ]
                )
            )
            with self.act(targets=[task.id]):
                self.last = tasks.change(self.environment, ME, task.id, **fields)
                self.names[task.id] = fields.get("name", task.name)

    @rule(data=st.data())
    def switch(self, data):
        if task := self.some(data):
            with self.act(targets=[task.id]):
                on = not task.system_managed
                self.last = tasks.change(self.environment, ME, task.id, system_managed=on)

    @rule(data=st.data())
    def off_and_on(self, data):
        """Nothing else happens in between, so every byte is restored."""
        self.flag.unlink(missing_ok=True)
        self.settle()
        if (task := self.some(data, on=True)) and task.tag in entries(self.text()):
            before = self.text()
            for on in (False, True):
                with self.act(targets=[task.id]):
                    done = tasks.change(self.environment, ME, task.id, system_managed=on)
                    assert not done.failures
                    assert done.problem is None
                    assert not done.notes
            assert self.text() == before

    @rule(data=st.data())
    def delete(self, data):
        if task := self.some(data):
            with self.act(targets=[task.id]):
                self.last = tasks.delete(self.environment, ME, task.id)

    @precondition(lambda self: self.last)
    @rule()
    def undo(self):
        last, self.last = self.last, None
        with self.act(targets=[task.id for task in last.tasks]):
            tasks.undo(self.environment, ME, last)
            for task in last.before:
                self.names[task.id] = task.name

    @rule(data=st.data())
    def import_some(self, data):
        offered = importing.importable(service.preview(self.environment))
        if offered:
            chosen = data.draw(st.lists(st.sampled_from(offered), unique=True, min_size=1))
            with self.act(takes=[item.raw for item in chosen]):
                importing.import_entries(self.environment, ME, chosen)

    @rule(data=st.data())
    def release(self, data):
        task = self.some(data, on=True)
        line = entries(self.text()).get(task.tag) if task else None
        if line and not line.paused:
            own = f"# {task.name}\n"
            before = self.text()
            with suppress(PiTaskerError):
                stop_managing.stop_managing(self.environment, ME, [task.id])
            new = Counter(persons(self.text())) - Counter(persons(before))
            assert new.total() <= 1, own
            assert not Counter(persons(before)) - Counter(persons(self.text()))

    @rule(data=st.data(), fix=st.sampled_from([Fix.KEEP_AS_COMMENT]))
    def fix_words(self, data, fix):
        report = validation.validate(service.preview(self.environment))
        findings = [f for f in report.findings if f.kind is Discrepancy.WORDS_BEHIND_TAG]
        if findings:
            finding = data.draw(st.sampled_from(findings))
            before = self.text()
            with suppress(PiTaskerError):
                fixes.apply(self.environment, ME, [finding], fix)
            assert not Counter(persons(before)) - Counter(persons(self.text()))

    @rule(data=st.data())
    def restore(self, data):
        snapshots = edit.snapshots(self.environment)
        if snapshots:
            chosen = data.draw(st.sampled_from(snapshots[:6]))
            with suppress(PiTaskerError):
                edit.restore(self.environment, chosen.id, actor=ME)
                kept_text = edit.snapshot(self.environment, chosen.id).text or ""
                for tag, name in own_names_in(kept_text):
                    self.restored_names[tag].add(name)
                # Changes that wait to be written follow at once.
                assert not Counter(persons(kept_text)) - Counter(persons(self.text()))
            self.quiet = frozenset()

    @rule(fault=st.sampled_from(["refuse", "lie"]))
    def crontab_fails(self, fault):
        """The next action meets a `crontab` that installs nothing, or reports a failure."""
        self.flag.write_text(fault)

    @rule()
    def crontab_works(self):
        self.flag.unlink(missing_ok=True)

    @rule()
    def sync(self):
        self.flag.unlink(missing_ok=True)
        self.settle()

    # Actions by hand.

    def by_hand(self, data, change):
        lines = self.text().splitlines(keepends=True)
        change(lines, data.draw(st.integers(0, len(lines)), "at"))
        self.crontab.force(encode("".join(lines)))
        self.quiet = frozenset()

    @rule(
        data=st.data(),
        line=st.sampled_from(
            [
                *("# note {}\n", "#0 4 * * * /opt/{} --full\n", "# caf\udce9 {}\n"),
                *("\n", "V{}=x\n", "1 3 * * * /bin/hand{}\n", "  2\t3 * * *   /bin/{}  %in\n"),
            ]
        ),
    )
    def write_a_line(self, data, line):
        new = line.format(self.count())
        self.by_hand(data, lambda lines, at: lines.insert(at, new))

    def edit_an_entry(self, data, change):
        tagged = [i for i, line in enumerate(lines_of(self.text())) if "PITASKER_ID" in line.raw]
        if tagged:
            index = data.draw(st.sampled_from(tagged))

            def edited(lines, _):
                lines[index : index + 1] = change(lines[index])

            self.by_hand(data, edited)

    @rule(data=st.data())
    def write_words(self, data):
        self.edit_an_entry(data, lambda line: [f"{line.rstrip()} ask me {self.count()}\n"])

    @rule(data=st.data())
    def change_by_hand(self, data):
        self.edit_an_entry(
            data, lambda line: [re.sub(r"@daily|0 5 \* \* \*|\d 3 \* \* \*", "9 9 * * *", line)]
        )

    @rule(data=st.data())
    def remove_by_hand(self, data):
        self.edit_an_entry(data, lambda _: [])

    def teardown(self):
        self.flag.unlink(missing_ok=True)
        self.settle()
        self.crontab.remove()


@pytest.fixture
def settings_with_faults(database_url, crontab, fake_crontab, tmp_path):
    flag = tmp_path / "fault"
    program = str(fake_crontab(FAULTY.format(flag=flag)))
    log = tmp_path / "cron.log"
    return (
        Environment(tmp_path / "home", database_url, program, demo=False, cron_log=log),
        crontab,
        flag,
    )


def test_no_order_of_acts_breaks_a_promise(settings_with_faults):
    Service.world = settings_with_faults
    run_state_machine_as_test(
        Service,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=12 if EXAMPLES < 100 else 30,
            suppress_health_check=list(HealthCheck),
            derandomize=EXAMPLES < 100,
            database=None,
            print_blob=False,
            phases=[Phase.generate, Phase.shrink] if EXAMPLES > 8 else [Phase.generate],
        ),
    )
