"""Each cron has its own rules. PiTasker uses those of the installed cron."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pitasker_core import database, tasks
from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.crontab import environment_lines
from pitasker_core.crontab.calendar import zone_of
from pitasker_core.crontab.document import Entry, EnvironmentLine, Invalid, parse, parse_line
from pitasker_core.crontab.document.tags import why_not_tagged
from pitasker_core.crontab.program import CrontabProgram
from pitasker_core.crontab.schedule import Dialect
from pitasker_core.dashboard import overview, task_grid, timeline
from pitasker_core.runs.missed import rows
from pitasker_core.runs.missed.detection import expected
from pitasker_core.sync import store, validation

DEBIAN_13 = """#!/bin/sh
case "$1" in
-n) sed 's/^\\([A-Z]*\\)=$/\\1=""/' | "$REAL_CRONTAB" -n - ;;
*) exec "$REAL_CRONTAB" "$@" ;;
esac
"""
CRONIE = """#!/bin/sh
case "$1" in
-V) echo "cronie 1.7.2" ;;
-T) exit 0 ;;
*) exec "$REAL_CRONTAB" "$@" ;;
esac
"""


@pytest.mark.parametrize("line", ["MAILTO=\n", "MAILTO = \n", ' "MAILTO"=\n'])
@pytest.mark.parametrize("dialect", [Dialect.DEBIAN_13, Dialect.CRONIE])
def test_a_setting_without_a_value_is_one_where_cron_takes_it(line, dialect):
    setting = parse_line(line, dialect)
    assert isinstance(setting, EnvironmentLine)
    assert (setting.raw, setting.name, setting.value) == (line, "MAILTO", "")


def test_where_cron_refuses_it_the_advice_is_a_line_that_every_cron_takes():
    line = parse_line("MAILTO=\n", Dialect.DEBIAN)
    assert isinstance(line, Invalid)
    assert line.suggestion == 'MAILTO=""'
    (finding,) = validation.of_lines(parse("MAILTO=\n"))
    assert 'Perhaps MAILTO="" was meant' in finding.message
    for dialect in Dialect:
        setting = parse_line(line.suggestion, dialect)
        assert isinstance(setting, EnvironmentLine)
        assert setting.value == ""


@pytest.mark.parametrize("dialect", Dialect)
def test_an_empty_value_is_written_as_every_cron_takes_it(dialect):
    assert str(environment_lines.add(parse("", dialect), "MAILTO", "")) == 'MAILTO=""\n'


def test_cronie_takes_commands_that_debian_refuses():
    line = f"0 2 * * * {'x' * 999}\n"
    assert isinstance(parse_line(line, Dialect.CRONIE), Entry)
    assert isinstance(parse_line(line, Dialect.DEBIAN), Invalid)
    assert isinstance(parse_line(line, Dialect.DEBIAN_13), Invalid)
    assert why_not_tagged("x" * 999, "/bin/sh", Dialect.CRONIE) is None
    assert "too long" in why_not_tagged("x" * 999, "/bin/sh", Dialect.DEBIAN)


@pytest.mark.parametrize("line", ["0 2 * * *\n", "0 2 * * * \n", "@daily\n"])
def test_cronie_refuses_a_schedule_without_a_command(line):
    assert isinstance(parse_line(line, Dialect.CRONIE), Invalid)
    assert isinstance(parse_line(line, Dialect.DEBIAN), Entry)


@pytest.mark.parametrize(
    ("script", "dialect"),
    [
        ('#!/bin/sh\nexec "$REAL_CRONTAB" "$@"\n', None),
        (DEBIAN_13, Dialect.DEBIAN_13),
        (CRONIE, Dialect.CRONIE),
        ("#!/bin/sh\nexit 1\n", Dialect.DEBIAN),
    ],
    ids=["this machine's", "Debian 13's", "cronie's", "another one"],
)
def test_the_installed_program_says_which_cron_it_is(fake_crontab, script, dialect):
    expected = dialect or CrontabProgram().dialect
    assert CrontabProgram(str(fake_crontab(script))).dialect is expected


def test_a_program_that_was_upgraded_is_asked_anew(fake_crontab):
    file = fake_crontab("#!/bin/sh\nexit 1\n")
    program = CrontabProgram(str(file))
    assert program.dialect is Dialect.DEBIAN
    file.write_bytes(fake_crontab(CRONIE).read_bytes())
    assert program.dialect is Dialect.CRONIE


def test_crontab_checks_a_file_whatever_the_length_of_its_path(tmp_path):
    file = tmp_path / ("x" * 120) / "candidate"
    file.parent.mkdir()
    file.write_text("@daily true\n")
    CrontabProgram().check(file)
    file.write_text("@noon true\n")
    with pytest.raises(InvalidSyntax, match="bad time specifier"):
        CrontabProgram().check(file)


def test_the_pages_read_schedules_as_this_machine_does(environment, crontab, fake_crontab):
    now, zone = datetime(2026, 1, 1, tzinfo=UTC), ZoneInfo("UTC")
    cronie = replace(environment, crontab_program=str(fake_crontab(CRONIE)))
    # `fri-sun` is a range for cronie, and selects nothing for Debian's cron.
    tasks.create(cronie, "test", tasks.NewTask("A", "0 3 * * fri-sun", "/bin/a"))
    for machine, runs in ((cronie, 1), (environment, 0)):
        listing = tasks.listing(machine)
        assert len(overview.upcoming(listing, now, zone, 5)) == runs
        words = task_grid.in_words("0 3 * * fri-sun", listing.dialect)
        assert ("Friday" in words) is bool(runs)


def test_a_missed_run_is_judged_by_the_cron_tz_above_its_entry(environment, crontab, fake_crontab):
    crontab.write(b"CRON_TZ=Asia/Tokyo\n")
    cronie = replace(environment, crontab_program=str(fake_crontab(CRONIE)))
    [task] = tasks.create(cronie, "test", tasks.NewTask("A", "0 9 * * *", "/bin/a")).tasks
    berlin = ZoneInfo("Europe/Berlin")
    for dialect, hour in ((Dialect.CRONIE, 0), (Dialect.DEBIAN, 8)):
        with database.session(cronie) as session:
            [*_, last] = rows.observations(
                session, store.own_crontab(session), datetime.now(UTC), dialect
            )
        definition = last.entries[task.tag]
        morning, evening = datetime(2027, 1, 1, tzinfo=berlin), datetime(2027, 1, 1, 23, tzinfo=UTC)
        [at] = expected(definition.schedule, morning, evening, definition.clock(berlin))
        assert at == datetime(2027, 1, 1, hour, tzinfo=UTC)


def test_the_next_runs_of_cronie_are_by_its_cron_tz_shown_by_the_machines_clock(
    environment, crontab, fake_crontab
):
    now, zone = datetime(2027, 1, 1, tzinfo=UTC), ZoneInfo("Europe/Berlin")
    crontab.write(b"CRON_TZ=Asia/Tokyo\n")
    cronie = replace(environment, crontab_program=str(fake_crontab(CRONIE)))
    tasks.create(cronie, "test", tasks.NewTask("A", "0 9 * * *", "/bin/a"))
    for machine, time in ((cronie, "01:00"), (environment, "09:00")):
        listing = tasks.listing(machine)
        [run] = overview.upcoming(listing, now, zone, 5)
        assert f"{run.at:%H:%M %Z}" == f"{time} CET"
        [task] = listing.tasks
        assert zone_of(listing.cron_clock(task, zone)).key == (
            "Asia/Tokyo" if machine is cronie else "Europe/Berlin"
        )
        [bar] = timeline.future(
            overview.schedules_in_force(listing, zone).values(),
            now,
            now + timedelta(days=1),
            listing.dialect,
        )
        assert f"{bar.start.astimezone(zone):%H:%M}" == time
        table = overview.entries_table(listing.comparison.document, now, zone)
        assert table["next_run"][0].endswith(time)
