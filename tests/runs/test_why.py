"""Why did it not run? Each check, passed and failed, and the conclusions."""

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from pitasker_core.base import clock
from pitasker_core.crontab import schedule as schedules
from pitasker_core.crontab.calendar import last_run
from pitasker_core.crontab.doctor.facts import FileFacts, MachineFacts
from pitasker_core.crontab.document import parse
from pitasker_core.crontab.machine_facts import gather, look_at_file
from pitasker_core.crontab.schedule import Dialect
from pitasker_core.runs.history import Run
from pitasker_core.runs.why import Check, Verdict, gathering, judge
from pitasker_core.runs.why.facts import LATE, Disk, Facts, Spooled
from pitasker_core.tasks import Task
from tests.helpers.examples import create

TAG = UUID(int=7)
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 4, 12, 48, tzinfo=BERLIN)
"""A Wednesday."""
LONG_AGO = NOW - timedelta(days=400)
DUE = NOW.replace(hour=2, minute=0)

TASK = Task(
    id=3,
    name="Backup",
    schedule="0 2 * * *",
    command="/bin/backup",
    paused=False,
    paused_until=None,
    system_managed=True,
    source="pitasker",
    status="success",
    last_run=None,
    labels=(),
    notes="",
    record_runs=False,
    timeout_seconds=None,
    no_overlap=False,
    catch_up=False,
    ping_url="",
    notify=None,
    sync_error=None,
    tag=TAG,
    synced_at=None,
    created_at=LONG_AGO,
    updated_at=LONG_AGO,
    definition_changed_at=LONG_AGO,
    deleted_at=None,
    version=1,
)


def run(**fields: object) -> Run:
    """A successful run that cron started in time, with some other fields."""
    values = {
        "id": 1,
        "task": 3,
        "task_name": "Backup",
        "started_at": DUE,
        "ended_at": DUE + timedelta(minutes=1),
        "exit_code": 0,
        "source": "recorded",
        "state": "success",
        "missed": 0,
        "note": "",
        **fields,
    }
    return Run(**{name: values.get(name) for name in Run.__dataclass_fields__})  # type: ignore[arg-type]


FAILED = run(state="failed", exit_code=127)
RUNNING = run(state="running", ended_at=None, exit_code=None)
CAUGHT_UP = run(source="caught up", started_at=DUE.replace(hour=8, minute=10))
CHANGED = replace(TASK, definition_changed_at=NOW - timedelta(minutes=8))
MISSED = run(state="missed", source="missed", missed=1, note="the machine was off", ended_at=DUE)


def entry(line: str = "0 2 * * * /bin/backup", above: str = "", below: str = "\n") -> str:
    """Return a crontab with the task's entry."""
    return f"{above}{line} # PITASKER_ID:{TAG}{below}"


PATH = "/usr/bin:/bin"
BASE = (
    FileFacts("/bin/sh"),
    FileFacts("/home/pi", is_folder=True),
    FileFacts("/bin/backup", first_line=b"#!/bin/sh"),
)


def pi(*files: FileFacts, missing: tuple[str, ...] = (), **more: object) -> MachineFacts:
    """A machine without problems, except for some files and missing programs."""
    return MachineFacts(
        user="pi",
        home="/home/pi",
        files={file.path: file for file in (*BASE, *files)},
        programs={(name, PATH): None for name in missing},
        **more,  # type: ignore[arg-type]
    )


def job(command: str, machine: MachineFacts, **more: object) -> Facts:
    """Facts about a task with another command, in sync with its entry."""
    return facts(
        entry(f"0 2 * * * {command}"), of=replace(TASK, command=command), machine=machine, **more
    )


def facts(
    text: str = entry(), *, dialect: Dialect = Dialect.DEBIAN, of: Task = TASK, **more: object
) -> Facts:
    """Facts without problems, except for the given fields."""
    values = {
        "recorder": None,
        "machine": pi(),
        "disks": (Disk("/", 8_000_000_000, 100_000, read_only=False),),
        "spooled": Spooled("/var/spool/cron/crontabs/pi", 0o600, "pi", is_link=False, links=1),
        "booted_at": NOW - timedelta(days=9),
        "last_start": run(),
        "log_is_seen": True,
        **more,
    }
    return Facts(of, "pi", NOW, BERLIN, parse(text, dialect), **values)  # type: ignore[arg-type]


def check(facts: Facts, name: str) -> Check:
    """Return the result of a named check of some facts."""
    return next(check for check in judge(facts).checks if check.name == name)


def test_all_in_order_is_said_in_one_sentence_and_no_check_is_bad() -> None:
    answer = judge(facts())
    assert answer.conclusion == "It ran at 02:00 and succeeded: it runs next in 13 h."
    assert {check.verdict for check in answer.checks} == {Verdict.OK}
    assert answer.in_order


DENIED = "Permission denied"
GONE = FileFacts("/h", "No such file or directory")
IN_H = entry(above="HOME=/h\n")
NO_X = pi(missing=("x",))
GOOD, BAD, UNKNOWN = Verdict.OK, Verdict.BAD, Verdict.UNKNOWN
PAUSED = entry(line="# 0 2 * * * /bin/backup")
RECORDED = entry(line="0 2 * * * /home/pi/pitasker-recorder 3 '/bin/backup'")
MORNING = DUE.replace(hour=8)
SCHEDULES = {
    "0 2 31 2 *": (BAD, "never runs (31 February never comes)"),
    "0 2 * * fri-mon": (BAD, "runs backward and selects nothing"),
    "0 2 1 * *": (GOOD, "it was last due on Sun 01 Mar at 02:00"),
    "0 2 13 * 5": (GOOD, "neither of the two day fields begins with *, so one of them is enough"),
    "0 2 */2 * 1": (GOOD, "one of the two day fields begins with *, so both must match"),
    "5~9 2 * * *": (UNKNOWN, "does not mean what it seems to (minute: cron ignores '~9' after '5'"),
    "@reboot": (GOOD, "At system start"),
}


@pytest.mark.parametrize(
    ("name", "seen", "verdict", "evidence"),
    [
        ("In the crontab", facts("0 1 * * * other\n"), BAD, "has no entry for it"),
        (
            "In the crontab",
            facts("\n", of=replace(TASK, system_managed=False)),
            BAD,
            "database only, so cron does not run it",
        ),
        ("In the crontab", facts(of=replace(TASK, deleted_at=NOW)), BAD, "was deleted"),
        (
            "In the crontab",
            replace(facts(), document=None, unreadable="This user may not use crontab."),
            UNKNOWN,
            "cannot be read: This user may not use crontab.",
        ),
        ("Not paused", facts(PAUSED, of=replace(TASK, paused=True)), BAD, "It is paused."),
        (
            "Not paused",
            facts(PAUSED, of=replace(TASK, paused=True, paused_until=NOW + timedelta(hours=1))),
            BAD,
            "paused until 13:48.",
        ),
        ("In sync", facts(entry("0 5 * * * /bin/backup")), BAD, "the schedule 0 5 * * *"),
        ("In sync", facts(entry("0 2 * * * /bin/x")), BAD, "another command"),
        ("In sync", facts(PAUSED), BAD, "a pause, unlike this task"),
        (
            "Allowed to use crontab",
            facts(may_use_crontab=False),
            UNKNOWN,
            "keeps pi from changing the crontab; cron still runs the installed crontab",
        ),
        ("Allowed to use crontab", facts(may_use_crontab=None), UNKNOWN, "cannot be read"),
        ("Cron is running", facts(cron_alive=False), BAD, "Cron is not running."),
        ("Cron is running", facts(cron_alive=None), UNKNOWN, "unknown whether cron is running"),
        ("Cron is running", facts(is_demo=True), BAD, "This is the demo"),
        (
            "The whole crontab is valid",
            facts(entry(above="61 * * * * x\n")),
            BAD,
            "refuses line 1, so it ignores the whole crontab: minute must be 0 to 59",
        ),
        (
            "The whole crontab is valid",
            facts(entry(above="61 * * * * x\n"), dialect=Dialect.CRONIE),
            UNKNOWN,
            "refuses line 1",
        ),
        ("The last line is complete", facts(entry(below="")), BAD, "has no line end"),
        ("The last line is complete", facts(entry(below="\n# end")), GOOD, "ends with a line end"),
        (
            "Cron's file",
            facts(spooled=Spooled("/s/pi", 0o644, "pi", is_link=False, links=1)),
            BAD,
            "has the mode 0644 instead of 0600",
        ),
        (
            "Cron's file",
            facts(spooled=Spooled("/s/pi", 0o600, "pi", is_link=False, links=2)),
            BAD,
            "is a link",
        ),
        (
            "Cron's file",
            facts(spooled=Spooled("/s/pi", 0o600, "mary", is_link=False, links=1)),
            BAD,
            "belongs to mary",
        ),
        (
            "The account is valid",
            facts(account_problem="The account has expired"),
            BAD,
            "The account has expired, and cron starts nothing for pi.",
        ),
        (
            "The account is valid",
            facts(account_problem=None),
            UNKNOWN,
            "unknown whether the account",
        ),
        (
            "Cron's log",
            facts(last_start=None, complaint=(DUE, "ORPHAN (no passwd entry)")),
            BAD,
            "Cron logged at 02:00: ORPHAN (no passwd entry).",
        ),
        (
            "The time zone",
            facts(entry(above="CRON_TZ=America/New_York\n")),
            BAD,
            "Only the command sees CRON_TZ=America/New_York: cron reads the schedule in "
            "Europe/Berlin",
        ),
        (
            "The time zone",
            facts(entry(above="CRON_TZ=America/New_York\n"), dialect=Dialect.CRONIE),
            GOOD,
            "in America/New_York, because of CRON_TZ",
        ),
        ("The time zone", facts(entry(above="TZ=Europe/Berlin\n")), GOOD, "Europe/Berlin"),
        ("The time zone", facts(entry(above="TZ=:Europe/Paris\n")), GOOD, "in Europe/Berlin"),
        (
            "The time zone",
            facts(entry(above="TZ=Africa/Lagos\n")),
            UNKNOWN,
            "Only the command sees TZ=Africa/Lagos: cron reads the schedule in Europe/Berlin, "
            "which has the same time now, but not all year",
        ),
        ("The time zone", facts(entry(above="TZ=CET-1\n")), UNKNOWN, "the command sees TZ=CET-1"),
        ("The time zone", facts(entry(above="TZ=CET-1\nCRON_TZ=UTC\n")), BAD, "sees CRON_TZ=UTC"),
        ("The clock", facts(clock_synchronised=False), UNKNOWN, "is not synchronised"),
        ("The clock", facts(clock_synchronised=None), UNKNOWN, "unknown whether the clock"),
        (
            "The clock",
            facts(of=replace(TASK, definition_changed_at=NOW + timedelta(days=2))),
            BAD,
            "it shows 12:48, and Fri 06 Mar, 12:48 has already passed",
        ),
        (
            "Not missed",
            facts(last_start=None, missed=MISSED),
            BAD,
            "It was missed at 02:00: the machine was off.",
        ),
        (
            "Not missed",
            facts(last_start=None, missed=replace(MISSED, missed=3, started_at=LONG_AGO)),
            BAD,
            "missed at 02:00, and 2 times before that: the machine was off",
        ),
        (
            "Not missed",
            facts(last_start=None, missed=replace(MISSED, missed=2, started_at=LONG_AGO)),
            BAD,
            "missed at 02:00, and once before that: the machine was off",
        ),
        (
            "Not missed",
            facts(last_start=CAUGHT_UP, missed=MISSED),
            UNKNOWN,
            "It was missed at 02:00: the machine was off. It was caught up at 08:10.",
        ),
        ("Not missed", facts(missed=MISSED), GOOD, "No run is known to have been missed"),
        (
            "Not missed",
            facts(last_start=None, booted_at=NOW - timedelta(hours=1)),
            UNKNOWN,
            "The machine started only at 11:48, and may have been off before",
        ),
        ("Start", facts(), GOOD, "The recorder saw its start at 02:00"),
        ("Start", facts(last_start=None, logged_start=DUE), GOOD, "Cron's log has its"),
        ("Start", facts(last_start=CAUGHT_UP), GOOD, "started it at 08:10, to catch up"),
        ("Start", facts(last_start=None), BAD, "cron's log has no start of it"),
        (
            "Start",
            facts(RECORDED, last_start=None, log_is_seen=False, recorder=FileFacts("/r")),
            BAD,
            "the records of its runs have no start of it",
        ),
        (
            "Start",
            facts(last_start=None, log_is_seen=False, log_problem="Only root may read it."),
            UNKNOWN,
            "unknown whether cron started it. Only root may read it.",
        ),
        (
            "Start",
            facts(last_start=None, of=replace(TASK, definition_changed_at=NOW)),
            UNKNOWN,
            "not been due since it was changed",
        ),
        ("The recorder", facts(recorder=FileFacts("/r")), GOOD, "can be started"),
        ("The recorder", facts(recorder=FileFacts("/r", "No such file")), BAD, "is missing"),
        (
            "The recorder",
            facts(recorder=FileFacts("/r", executable=False)),
            BAD,
            "cannot be executed",
        ),
        ("The recorder", facts(recorder=FileFacts("/r", lacks="/usr/bin/python3")), BAD, "python3"),
        (
            "The shell",
            facts(entry(above="SHELL=/bin/zsh\n"), machine=pi(FileFacts("/bin/zsh", "No such"))),
            BAD,
            "SHELL is /bin/zsh",
        ),
        ("The folder it starts in", job("cd /h && x", pi(GONE)), BAD, "is not there"),
        ("The folder it starts in", facts(IN_H, machine=pi(GONE)), BAD, "is not there"),
        ("The folder it starts in", facts(IN_H, machine=pi(FileFacts("/h"))), BAD, "is no folder"),
        (
            "Its disks are mounted",
            job("/bin/backup /srv/photos", pi(unmounted={"/srv": False})),
            BAD,
            "/srv/photos lies on /srv, which /etc/fstab names and which is not mounted",
        ),
        ("Free disk space", facts(disks=(Disk("/", 0, 9, False),)), BAD, "/ is full"),
        ("Free disk space", facts(disks=(Disk("/", 10**9, 0, False),)), BAD, "/ is full"),
        ("Free disk space", facts(disks=(Disk("/", 10**9, 9, True),)), UNKNOWN, "read-only"),
        (
            "The program",
            job("rclone", pi(missing=("rclone",), elsewhere={"rclone": "/opt/rclone"})),
            BAD,
            "Cron does not find rclone on its PATH (/usr/bin:/bin)",
        ),
        ("The program", job("x", pi(missing=("x",))), BAD, "There is no program x on"),
        ("The program", job("/x", pi(FileFacts("/x", DENIED))), BAD, "be reached: Pe"),
        (
            "The program",
            job("/job.py", pi(FileFacts("/job.py", readable=False))),
            BAD,
            "pi may not read /job.py",
        ),
        (
            "The program",
            job("/job", pi(FileFacts("/job", readable=False))),
            UNKNOWN,
            "may start /job but not read it",
        ),
        ("The program", job("root x", pi(missing=("root",))), BAD, "takes root for the progr"),
        (
            "Output files",
            job("x > /var/log/x", pi(FileFacts("/var/log/x", writable=False))),
            BAD,
            "The shell cannot write to /var/log/x, and does not start the command then: Permis",
        ),
        ("Output files", job("x > /t", pi(FileFacts("/t"))), GOOD, "/t can be written"),
        ("Percent signs", facts(entry("0 2 * * * date +%F")), BAD, "what cron runs is date +"),
        ("Percent signs", facts(entry("0 2 * * * x > $(date %F)")), BAD, "runs is x > $(date"),
        ("Percent signs", facts(entry("0 2 * * * cat%data")), UNKNOWN, "what cron runs is cat"),
        (
            "Percent signs",
            facts(entry("0 2 * * * date +\\%F")),
            GOOD,
            "No % ends the command early",
        ),
        ("Line ends", facts(entry(below="\r\n")), BAD, "The entry has a carriage return"),
        ("sudo", job("sudo x", pi()), UNKNOWN, "cannot ask for a password"),
        ("Last result", facts(last_start=FAILED), BAD, "exit code 127: command not found"),
        (
            "Last result",
            facts(last_start=run(state="started", source="observed", exit_code=None)),
            UNKNOWN,
            "its result was not recorded",
        ),
        ("Last result", facts(last_start=None), UNKNOWN, "No run is known"),
        ("Last result", facts(last_start=RUNNING), GOOD, "It has been running since 02:00"),
        (
            "Last result",
            facts(last_start=FAILED, of=CHANGED),
            UNKNOWN,
            "started at 02:00, before the task was changed and failed: exit code 127",
        ),
        (
            "The schedule",
            facts("\n", of=replace(TASK, schedule="61 2 * * *")),
            BAD,
            "Cron refuses the schedule 61 2 * * *",
        ),
        *(
            ("The schedule", facts(entry(f"{text} /bin/backup")), *expected)
            for text, expected in SCHEDULES.items()
        ),
    ],
)
def test_a_check_says_what_it_saw(name: str, seen: Facts, verdict: Verdict, evidence: str) -> None:
    made = check(seen, name)
    assert (made.verdict, evidence in made.evidence) == (verdict, True), made
    assert verdict is not BAD or made.advice or made.command or seen.is_demo


@pytest.mark.parametrize(
    ("name", "seen", "command"),
    [
        (
            "The program",
            job("'/my job'", pi(FileFacts("/my job", executable=False))),
            "chmod +x '/my job'",
        ),
        ("The program", job("'/a;b'", pi(FileFacts("/a;b", "No such file"))), "ls -l '/a;b'"),
        (
            "The program",
            job("'/a b'", pi(FileFacts("/a b", first_line=b"#!/bin/sh\r"))),
            "sed -i 's/\\r$//' '/a b'",
        ),
        (
            "The program",
            job("'/a b'", pi(FileFacts("/a b", first_line=b"#!/x", lacks="/x"))),
            "head -1 '/a b'",
        ),
        (
            "The script",
            job("sh '/$(x)'", pi(FileFacts("/$(x)", readable=False))),
            "ls -l '/$(x)'",
        ),
        (
            "Output files",
            job("x > '/a b/log'", pi(FileFacts("/a b/log", "is gone"))),
            "ls -ld '/a b'",
        ),
        (
            "Cron's file",
            facts(spooled=Spooled("/s/a b", 0o644, "pi", is_link=False, links=1)),
            "chmod 0600 '/s/a b'",
        ),
        (
            "Cron's file",
            facts(spooled=Spooled("/s/pi", 0o600, "pi", is_link=True, links=1)),
            'copy=$(mktemp) && crontab -l > "$copy" && crontab "$copy" && rm "$copy"',
        ),
        (
            "Cron is running",
            facts(cron_alive=None, dialect=Dialect.CRONIE),
            "systemctl status crond",
        ),
        (
            "Start",
            facts(last_start=None, dialect=Dialect.CRONIE),
            "sudo journalctl -u crond --since '2026-03-04 02:00' --until '2026-03-04 02:05'",
        ),
    ],
)
def test_a_command_to_paste_is_safe_and_fits_this_cron(
    name: str, seen: Facts, command: str
) -> None:
    assert check(seen, name).command == command


@pytest.mark.parametrize(
    ("seen", "conclusion"),
    [
        (
            job("x", NO_X, cron_alive=False, last_start=None),
            "It did not run because cron is not running.",
        ),
        (
            facts(PAUSED, of=replace(TASK, paused=True), cron_alive=False, last_start=None),
            "It did not run because it is paused.",
        ),
        (
            facts(cron_alive=False),
            "It ran at 02:00, and does not run now, because cron is not running.",
        ),
        (
            job("x", NO_X, last_start=FAILED),
            "It ran at 02:00 and failed: exit code 127: command not found. The "
            "probable cause: there is no program x on cron's PATH (/usr/bin:/bin).",
        ),
        (
            job("x", NO_X, last_start=None, missed=MISSED),
            "It did not run at 02:00: the machine was off.",
        ),
        (
            facts(IN_H, last_start=None, machine=pi(GONE)),
            "It did not run because the folder /h, in which the command starts, is not there: "
            "No such file or directory.",
        ),
        (
            facts(last_start=None),
            "It did not run, and no check found the reason: it was due at 02:00, and cron's log "
            "has no start of it.",
        ),
        (
            facts(entry("0 2 * * * /bin/other")),
            "It does not run as you may expect, because the entry has another command than this "
            "task: cron follows the entry.",
        ),
        (
            facts(entry(above="TZ=Asia/Tokyo\n")),
            "It does not run as you may expect, because only the command sees TZ=Asia/Tokyo: cron "
            "reads the schedule in Europe/Berlin.",
        ),
        (
            facts(may_use_crontab=False, last_start=None),
            "It did not run, and no check found the reason: it was due at 02:00, and cron's log "
            "has no start of it.",
        ),
        (
            job("x", NO_X),
            "It ran at 02:00, but it cannot do its work, because there is no program x on "
            "cron's PATH (/usr/bin:/bin).",
        ),
        (
            facts(last_start=RUNNING, running=RUNNING),
            "It has been running since 02:00.",
        ),
        (
            facts(last_start=RUNNING, running=RUNNING, cron_alive=False),
            "It has been running since 02:00. It will not be started again, because cron is not "
            "running.",
        ),
        (
            facts(last_start=RUNNING, running=RUNNING, of=CHANGED),
            "It has been running since 02:00, from before it was changed at 12:40.",
        ),
        (
            facts(last_start=None, missed=MISSED, running=replace(RUNNING, source="by hand")),
            "It has been running since 02:00, started by hand. It did not run at 02:00: the "
            "machine was off.",
        ),
        (
            facts(last_start=CAUGHT_UP, missed=MISSED),
            "It ran late (caught up at 08:10) and succeeded: it runs next in 13 h.",
        ),
        (
            facts(of=CHANGED, last_start=FAILED),
            "It has not been due since it was changed at 12:40. Its last run, at 02:00, was before "
            "that and failed: exit code 127: command not found. It runs next in 13 h.",
        ),
        (
            facts(of=CHANGED, cron_alive=False),
            "It has not been due since it was changed at 12:40. Its last run, at 02:00, was before "
            "that. It does not run now, because cron is not running.",
        ),
        (
            facts(RECORDED, last_start=None, log_is_seen=False, booted_at=MORNING),
            "It did not run at 02:00. The machine started only at 08:00, and may have been "
            "off before.",
        ),
        (
            facts(last_start=None, log_is_seen=False, booted_at=MORNING),
            "No problem was found. Whether it ran at 02:00 is "
            "unknown. The machine started only at 08:00, and may have been off "
            "before; it runs next in 13 h.",
        ),
        (
            facts(last_start=None, of=replace(TASK, definition_changed_at=NOW)),
            "All checks passed: it runs next in 13 h.",
        ),
        (
            replace(
                facts(last_start=None, of=replace(TASK, definition_changed_at=NOW)), document=None
            ),
            "No problem was found, but the crontab cannot be read.",
        ),
        (
            facts(last_start=None, log_is_seen=False),
            "No problem was found. Whether it ran at 02:00 is unknown; it runs next in 13 h.",
        ),
        (
            facts(
                entry("@reboot /bin/backup"),
                of=replace(TASK, schedule="@reboot", definition_changed_at=NOW),
                last_start=None,
            ),
            "All checks passed: it runs next when the machine starts.",
        ),
        (
            facts(
                entry("5~9 2 * * * /bin/backup"),
                dialect=Dialect.CRONIE,
                of=replace(TASK, schedule="5~9 2 * * *"),
            ),
            "It ran at 02:00 and succeeded: it runs next at a random time.",
        ),
        (
            facts(
                last_start=run(state="failed", exit_code=3, started_at=DUE.replace(day=3)),
                log_is_seen=False,
            ),
            "It last ran on Tue 03 Mar at 02:00 and failed: exit code 3.",
        ),
        (
            facts("\n", of=replace(TASK, command="no\nentry")),
            "It ran at 02:00, and does not run now, because the installed crontab has no entry "
            "for it.",
        ),
    ],
)
def test_the_first_cause_is_the_reason(seen: Facts, conclusion: str) -> None:
    assert judge(seen).conclusion == conclusion


def test_of_a_task_that_runs_every_minute_a_start_must_have_shown_two_minutes_later() -> None:
    every_minute = facts(entry("* * * * * /bin/backup"), last_start=None)
    assert every_minute.due == NOW - LATE
    assert check(every_minute, "Start").verdict is BAD
    new = facts(
        of=replace(TASK, schedule="* * * * *", definition_changed_at=NOW - timedelta(seconds=30))
    )
    new = replace(new, document=parse(entry("* * * * * /bin/backup")), last_start=None)
    assert "less than two minutes ago" in check(new, "Start").evidence


def test_a_run_of_long_ago_does_not_answer_for_the_last_time_it_was_due() -> None:
    old = run(started_at=DUE - timedelta(days=1))
    assert check(facts(last_start=old), "Start").verdict is BAD
    late = run(started_at=DUE + timedelta(seconds=20), state="started", source="observed")
    assert check(facts(last_start=late), "Start").verdict is GOOD


@pytest.mark.parametrize(
    ("content", "mode", "verdict", "evidence"),
    [
        (b"#!/bin/sh\ntrue\n", 0o755, GOOD, "can be started"),
        (b"true\n", 0o755, GOOD, "can be started"),
        (b"true\r\n", 0o755, BAD, "Windows line ends, which the shell does not know"),
        (
            b"#!/bin/sh\r\ntrue\r\n",
            0o755,
            BAD,
            "Windows line ends, so that /bin/sh^M is looked for",
        ),
        (b"#!/opt/none/python\n", 0o755, BAD, "names /opt/none/python, which is not there"),
        (b"#!/usr/bin/env no-such-one\n", 0o755, BAD, "names no-such-one (on cron's PATH)"),
        (b"#!/usr/bin/env -S A=b sh -e\n", 0o755, GOOD, "can be started"),
        (b"\xef\xbb\xbf#!/bin/sh\n", 0o755, BAD, "byte-order mark"),
        (b"print(1)\n", 0o755, BAD, "no first line that names its interpreter"),
        (b"#!/bin/sh\n", 0o644, BAD, "is not executable"),
        (None, 0, BAD, "There is no file"),
    ],
)
def test_a_script_is_looked_at_as_the_system_does(
    tmp_path: Path, content: bytes | None, mode: int, verdict: Verdict, evidence: str
) -> None:
    script = tmp_path / ("job.py" if content == b"print(1)\n" else "job.sh")
    if content is not None:
        script.write_bytes(content)
        script.chmod(mode)
    command = str(script)
    document = parse(f"@daily {command}\n")
    result = check(job(command, gather(document, BERLIN)), "The program")
    assert (result.verdict, evidence in result.evidence) == (verdict, True), result


@pytest.mark.parametrize(
    ("content", "verdict", "evidence"),
    [
        (b"echo hello\n", GOOD, "can be read"),
        (b"echo hello\r\n", BAD, "Windows line ends, which the shell does not know"),
        (None, BAD, "There is no script"),
    ],
)
def test_a_script_for_an_interpreter_need_only_be_there_and_readable(
    tmp_path: Path, content: bytes | None, verdict: Verdict, evidence: str
) -> None:
    script = tmp_path / "job"
    if content is not None:
        script.write_bytes(content)
    command = f"bash {script}"
    document = parse(f"@daily {command}\n")
    result = check(job(command, gather(document, BERLIN)), "The script")
    assert (result.verdict, evidence in result.evidence) == (verdict, True), result


@pytest.mark.parametrize(
    ("schedule", "before", "last"),
    [
        ("*/5 * * * *", "2026-03-04 12:48", "2026-03-04 12:45"),
        ("0 2 * * *", "2026-03-04 02:00", "2026-03-04 02:00"),
        ("0 2 * * *", "2026-03-04 01:59", "2026-03-03 02:00"),
        ("0 0 29 2 *", "2027-01-01 00:00", "2024-02-29 00:00"),
        ("30 2 * * *", "2026-03-29 12:00", "2026-03-29 03:00"),
        ("0 0 31 2 *", "2026-01-01 00:00", None),
        ("@reboot", "2026-01-01 00:00", None),
    ],
)
def test_the_last_time_that_cron_ran_it_is_known(
    schedule: str, before: str, last: str | None
) -> None:
    at = datetime.fromisoformat(before).replace(tzinfo=BERLIN)
    run = last_run(schedules.parse(schedule), at, BERLIN)
    assert (run and f"{run:%Y-%m-%d %H:%M}") == last


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("Account expires\t\t: never\nPassword expires\t: never", ""),
        ("Account expires\t\t: Mar 04, 2026", "The account has expired"),
        ("Account expires\t\t: Mar 05, 2026", ""),
        ("Password expires\t: Mar 04, 2026", ""),
        ("Password expires\t: Mar 03, 2026", "The account's password has expired"),
        ("Password expires\t: Jan 01, 1970", "The account's password has expired"),
        ("Password expires\t: password must be changed", "The account's password must be changed"),
    ],
)
def test_an_account_that_has_expired_is_known_by_its_dates(line: str, problem: str) -> None:
    assert gathering.expired(line, date(2026, 3, 4)) == problem


@pytest.mark.parametrize(
    ("allow", "deny", "user", "may"),
    [
        (None, None, "pi", True),
        ("mary\n", None, "pi", False),
        ("mary\npi\n", "pi\n", "pi", True),
        (None, "pi\n", "pi", False),
        (None, "mary\n", "pi", True),
        ("mary\n", None, "root", True),
    ],
)
def test_the_allow_file_counts_before_the_deny_file(
    tmp_path: Path, allow: str | None, deny: str | None, user: str, may: bool
) -> None:
    for name, text in (("cron.allow", allow), ("cron.deny", deny)):
        if text is not None:
            (tmp_path / name).write_text(text)
    assert gathering.may_use_crontab(user, tmp_path) is may


def test_the_daemons_view_of_the_crontab_s_file_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "pi"
    file.write_text("")
    file.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(file)
    seen = gathering.spooled(file)
    assert seen is not None
    assert (seen.mode, seen.is_link, seen.links) == (0o640, False, 1)
    assert gathering.spooled(link).is_link  # type: ignore[union-attr]
    assert gathering.spooled(tmp_path / "none") is None


def test_a_failed_run_by_hand_after_a_change_is_told() -> None:
    by_hand = run(
        source="by hand", state="failed", exit_code=127, started_at=NOW - timedelta(minutes=1)
    )
    answer = judge(facts(of=CHANGED, last_start=None, by_hand=by_hand))
    when = f"{by_hand.started_at.astimezone(BERLIN):%H:%M}"
    assert answer.conclusion.endswith(
        f"Started by hand at {when}, it failed: exit code 127: command not found."
    )
    assert "All checks passed" not in answer.conclusion
    ended = check(facts(of=CHANGED, last_start=None, by_hand=by_hand), "Last result")
    assert ended.verdict is Verdict.BAD
    assert f"by hand at {when}" in ended.evidence


def test_a_run_by_hand_before_the_newest_one_by_cron_says_nothing() -> None:
    by_hand = run(source="by hand", state="failed", started_at=DUE - timedelta(hours=1))
    assert judge(facts(by_hand=by_hand)) == judge(facts())


def test_the_facts_of_a_real_entry_are_gathered(environment, crontab, tmp_path, monkeypatch):
    script = tmp_path / "job.sh"
    script.write_text("#!/bin/sh\r\n")
    script.chmod(0o755)
    crontab.write(f"PATH=/opt/none\nHOME={tmp_path}\nSHELL=/bin/bash\n".encode())
    task = create(environment, schedule="* * * * *", command="./job.sh > none/log")
    later = clock.now() + timedelta(minutes=10)
    monkeypatch.setattr(clock, "now", lambda: later)
    log = tmp_path / "cron.log"
    due = later.replace(second=1, microsecond=0)
    user = gathering.facts(environment, task).user
    log.write_text(
        f"{due.isoformat()} pi CRON[7]: ({user}) CMD (./job.sh # PITASKER_ID:{task.tag})\n"
        f"{due.isoformat()} pi cron[1]: ({user}) ORPHAN (no passwd entry)\n"
    )
    facts = gathering.facts(replace(environment, cron_log=log), task)
    assert (facts.logged_start, facts.log_is_seen) == (due, True)
    assert facts.complaint == (due, "ORPHAN (no passwd entry)")
    assert facts.subject is not None
    assert (facts.subject.path, facts.subject.shell, facts.folder) == (
        "/opt/none",
        "/bin/bash",
        str(tmp_path),
    )
    for path in ("/bin/bash", str(tmp_path), str(script)):
        assert facts.file(path) == look_at_file(path)
    evidence = check(facts, "Output files").evidence
    assert f"there is no folder {tmp_path}/none" in evidence
    bad = [check.name for check in judge(facts).checks if check.verdict is BAD]
    assert bad[-2:] == ["Output files", "The program"]


def test_the_command_line_tells_the_reason(cli, environment, crontab, capsys):
    task = create(environment, command="no-such-program", paused=True)
    assert cli("why", str(task.id)) == 1
    assert capsys.readouterr().out.startswith("It did not run because it is paused.")
    assert cli("why", str(task.id), "--json") == 1
    data = json.loads(capsys.readouterr().out)
    assert data["inOrder"] is False
    assert {check["name"]: check["verdict"] for check in data["checks"]}["The program"] == "bad"
    assert cli("why", "99") == 3
