"""The history of operations, and undoing them."""

import csv
import io
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from pitasker_core import tasks
from pitasker_core.base import clock
from pitasker_core.base.actor import Actor
from pitasker_core.base.errors import ConcurrentModification, CrontabUnavailable, NotFound, Stale
from pitasker_core.sync import edit, fixes, importing, operation_history, service, validation
from pitasker_core.sync.fixes import Fix
from pitasker_core.sync.merge import Policy
from pitasker_core.sync.service import Request
from pitasker_core.sync.stop_managing import stop_managing
from pitasker_core.sync.validation import Discrepancy
from tests.helpers.examples import EXISTING, ME, create


def findings(environment, kind):
    report = validation.validate(service.preview(environment))
    return [finding for finding in report.findings if finding.kind is kind]


def test_each_day_has_its_figures(environment, crontab):
    create(environment)
    with pytest.raises(CrontabUnavailable):
        service.sync(replace(environment, crontab_program="/nonexistent"), Request(ME))
    service.sync(environment, Request(ME))
    (day,) = operation_history.days(environment, None, clock.system_zone())
    assert (day.success, day.partial, day.failed) == (2, 0, 1)
    assert day.success_rate == pytest.approx(2 / 3)
    median = sorted(o.duration_ms for o in operation_history.operations(environment))[1]
    assert day.median_ms == pytest.approx(median)


def test_a_period_leaves_out_what_came_before(environment):
    create(environment)
    later = clock.now() + timedelta(hours=1)
    assert operation_history.operations(environment, since=later) == []
    assert operation_history.days(environment, later, clock.system_zone()) == []
    assert operation_history.counts(environment, later) == []


def test_each_operation_tells_how_many_tasks_were_in_each_state(environment, crontab):
    crontab.write(EXISTING)
    create(environment)
    task = create(environment, "Paused")
    tasks.change(environment, ME, task.id, paused=True)
    tasks.create(environment, ME, tasks.NewTask("Draft", "@daily", "true", system_managed=False))
    service.sync(environment, Request(ME))
    last = operation_history.counts(environment, None)[-1]
    assert last.states == {
        "synced": 1,
        "paused": 1,
        "pending": 0,
        "conflict": 0,
        "failed": 0,
        "database only": 1,
    }
    assert (last.entries, last.managed) == (5, 2)


def test_a_conflict_is_counted_as_one(environment, crontab):
    task = create(environment)
    tasks.change(replace(environment, crontab_program="/nonexistent"), ME, task.id, command="/ours")
    crontab.write(crontab.read().replace(b"0 2 * * *", b"7 7 * * *"))
    service.sync(environment, Request(ME))
    last = operation_history.counts(environment, None)[-1]
    assert (last.states["conflict"], last.states["pending"], last.states["synced"]) == (1, 0, 0)


def test_an_operation_is_found_by_its_number_and_no_other_is(environment):
    create(environment)
    (operation,) = operation_history.operations(environment)
    details = vars(operation_history.operation(environment, operation.id))
    assert details.pop("details")["pushed"]
    assert details == vars(operation)
    with pytest.raises(NotFound):
        operation_history.operation(environment, operation.id + 1)


def test_no_cell_of_the_csv_is_a_formula(environment):
    service.sync(environment, Request('=HYPERLINK("http://evil")'))
    (row,) = csv.DictReader(
        io.StringIO(operation_history.as_csv(operation_history.operations(environment)))
    )
    assert row["actor"] == '\'=HYPERLINK("http://evil")'


# --- Undo ------------------------------------------------------------------------------------


def test_a_pulled_hand_edit_can_be_taken_back(environment, crontab):
    task = create(environment)
    before = crontab.read()
    crontab.write(before.replace(b"0 2 * * *", b"9 9 * * *"))
    done = service.sync(environment, Request(ME))
    assert tasks.get(environment, task.id).schedule == "9 9 * * *"
    tasks.undo_sync(environment, ME, done)
    assert crontab.read() == before
    assert tasks.get(environment, task.id).schedule == "0 2 * * *"


def test_a_hand_edit_that_was_overwritten_can_be_had_back(environment, crontab):
    task = create(environment)
    by_hand = crontab.read().replace(b"0 2 * * *", b"9 9 * * *")
    crontab.write(by_hand)
    choice = {task.tag: Policy.DATABASE}
    done = service.sync(environment, Request(ME, choices=choice))
    assert crontab.read() != by_hand
    tasks.undo_sync(environment, ME, done)
    assert crontab.read() == by_hand


def test_a_pulled_removal_can_be_taken_back(environment, crontab):
    task = create(environment)
    create(environment, "Other")
    entry = crontab.read().splitlines()[1]
    crontab.write(b"\n".join(crontab.read().splitlines()[2:]) + b"\n")
    done = service.sync(environment, Request(ME))
    assert not tasks.get(environment, task.id).system_managed
    tasks.undo_sync(environment, ME, done)
    assert entry.split(b" # ")[0] in crontab.read()
    assert tasks.get(environment, task.id).system_managed


def test_what_the_background_took_over_can_be_taken_back_from_the_history(environment, crontab):
    task = create(environment)
    before = crontab.read()
    crontab.write(before.replace(b"0 2 * * *", b"9 9 * * *"))
    service.sync(environment, Request(Actor.BACKGROUND))
    assert tasks.get(environment, task.id).schedule == "9 9 * * *"
    tasks.undo_operation(environment, ME, operation_history.operations(environment)[0])
    assert crontab.read() == before
    assert tasks.get(environment, task.id).schedule == "0 2 * * *"


def test_a_sync_is_not_taken_back_over_a_later_change(environment, crontab):
    task = create(environment)
    crontab.write(crontab.read().replace(b"0 2 * * *", b"9 9 * * *"))
    done = service.sync(environment, Request(ME))
    tasks.change(environment, ME, task.id, schedule="1 1 * * *")
    with pytest.raises(Stale):
        tasks.undo_sync(environment, ME, done)
    assert tasks.get(environment, task.id).schedule == "1 1 * * *"


def test_what_was_imported_can_be_given_back_byte_for_byte(environment, crontab):
    crontab.write(EXISTING)
    done = importing.import_entries(environment, ME)
    assert crontab.read() != EXISTING
    stop_managing(environment, ME, done.imported)
    assert crontab.read() == EXISTING
    assert tasks.listing(environment).tasks == []
    service.sync(environment, Request(ME))
    assert crontab.read() == EXISTING


def test_a_release_that_dies_half_way_loses_no_entry(environment, crontab):
    crontab.write(EXISTING)
    done = importing.import_entries(environment, ME)
    tagged = crontab.read()
    refusing = replace(environment, crontab_program=str(environment.home / "refuses"))
    (environment.home / "refuses").write_text(
        '#!/bin/sh\n[ "$1" = - ] && exit 1\nexec /usr/bin/crontab "$@"\n'
    )
    (environment.home / "refuses").chmod(0o755)
    with pytest.raises(CrontabUnavailable):
        stop_managing(refusing, ME, done.imported)
    service.sync(environment, Request(ME))
    assert crontab.read() == tagged
    assert len(findings(environment, Discrepancy.UNKNOWN_TAG)) == 3


# --- Choices and fixes -----------------------------------------------------------------------


def test_a_choice_never_overwrites_what_was_not_shown(environment, crontab):
    task = create(environment)
    shown = crontab.read().replace(b"0 2 * * *", b"9 9 * * *")
    crontab.write(shown)
    seen = service.preview(environment).plan.changes
    newer = shown.replace(b"9 9 * * *", b"8 8 * * *")
    crontab.write(newer)
    choice = {task.tag: Policy.DATABASE}
    with pytest.raises(Stale):
        service.sync(environment, Request(ME, choices=choice, seen=seen))
    assert crontab.read() == newer


ENTRY = b"0 2 * * * /home/pi/backup.sh"
"""Return the line of `create` without its tag."""


@pytest.mark.parametrize(
    ("kind", "broken", "fix"),
    [
        (Discrepancy.CHANGED_IN_CRONTAB, (rb"0 2 \* \* \*", b"9 9 * * *"), Fix.TAKE_CRONTAB),
        (Discrepancy.CHANGED_IN_CRONTAB, (rb"0 2 \* \* \*", b"9 9 * * *"), Fix.TAKE_DATABASE),
        (Discrepancy.LOST_TAG, (rb" # PITASKER_ID:.*", b""), Fix.TAKE_DATABASE),
        (Discrepancy.INVALID_LINE, (b"# Backup", b"61 * * * * x\n# Backup"), Fix.COMMENT_OUT),
        (Discrepancy.ODD_ENTRY, (b"# Backup", b"1 * * * * x\r\n# Backup"), Fix.UNIX_LINE_END),
        (Discrepancy.UNMANAGED_ENTRY, (b"# Backup", b"1 * * * * x\n# Backup"), Fix.IMPORT),
        (
            Discrepancy.RUNS_TWICE,
            (b"# Backup", b"0 2 * * * /home/pi/backup.sh\n# Backup"),
            Fix.COMMENT_OUT,
        ),
    ],
)
def test_a_fix_leaves_nothing_of_its_kind(environment, crontab, kind, broken, fix):
    create(environment, "Backup")
    crontab.force(re.sub(*broken, crontab.read()))
    reported = findings(environment, kind)
    assert reported
    assert fix in fixes.of(reported[0])
    fixes.apply(environment, ME, reported, fix)
    assert findings(environment, kind) == []


def test_a_fix_of_a_line_that_was_changed_meanwhile_is_refused(environment, crontab):
    create(environment, "Backup")
    crontab.force(crontab.read() + b"61 * * * * x\n")
    reported = findings(environment, Discrepancy.INVALID_LINE)
    crontab.force(crontab.read().replace(b"61 *", b"62 *"))
    before = crontab.read()
    with pytest.raises(ConcurrentModification, match="changed since"):
        fixes.apply(environment, ME, reported, Fix.COMMENT_OUT)
    assert crontab.read() == before


def test_an_operation_knows_the_texts_before_and_after_it(environment, crontab):
    crontab.write(EXISTING)
    text = EXISTING.decode()
    edit.save_raw(environment, text + "# more\n", text, actor=ME)
    create(environment)
    for operation in operation_history.operations(environment):
        before = edit.snapshot(environment, operation.before).text
        after = edit.snapshot(environment, operation.after).text
        assert before != after
    assert (before, after) == (text, text + "# more\n")
