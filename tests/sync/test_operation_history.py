"""The history of operations, and taking things back."""

import csv
import io
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from pitasker_core import clock, history, tasks
from pitasker_core.errors import ConcurrentModification, CrontabUnavailable, NotFound, Stale
from pitasker_core.sync import adopt, edit, fixes, service, validation
from pitasker_core.sync.fixes import Fix
from pitasker_core.sync.merge import Policy
from pitasker_core.sync.release import release
from pitasker_core.sync.service import Request
from pitasker_core.sync.validation import Discrepancy
from tests.helpers.examples import EXISTING, ME, create


def findings(settings, kind):
    report = validation.validate(service.preview(settings))
    return [finding for finding in report.findings if finding.kind is kind]


def test_each_day_has_its_figures(settings, crontab):
    create(settings)
    with pytest.raises(CrontabUnavailable):
        service.sync(replace(settings, crontab_program="/nonexistent"), Request(ME))
    service.sync(settings, Request(ME))
    (day,) = history.days(settings, None, clock.system_zone())
    assert (day.success, day.partial, day.failed) == (2, 0, 1)
    assert day.success_rate == pytest.approx(2 / 3)
    median = sorted(o.duration_ms for o in history.operations(settings))[1]
    assert day.median_ms == pytest.approx(median)


def test_a_period_leaves_out_what_came_before(settings):
    create(settings)
    later = clock.now() + timedelta(hours=1)
    assert history.operations(settings, since=later) == []
    assert history.days(settings, later, clock.system_zone()) == []
    assert history.counts(settings, later) == []


def test_each_operation_tells_how_many_tasks_were_in_each_state(settings, crontab):
    crontab.write(EXISTING)
    create(settings)
    task = create(settings, "Paused")
    tasks.change(settings, ME, task.id, paused=True)
    tasks.create(settings, ME, "Draft", "@daily", "true", system_managed=False)
    service.sync(settings, Request(ME))
    last = history.counts(settings, None)[-1]
    assert last.states == {
        "synced": 1,
        "paused": 1,
        "pending": 0,
        "conflict": 0,
        "failed": 0,
        "database only": 1,
    }
    assert (last.entries, last.managed) == (5, 2)


def test_a_conflict_is_counted_as_one(settings, crontab):
    task = create(settings)
    tasks.change(replace(settings, crontab_program="/nonexistent"), ME, task.id, command="/ours")
    crontab.write(crontab.read().replace(b"0 2 * * *", b"7 7 * * *"))
    service.sync(settings, Request(ME))
    last = history.counts(settings, None)[-1]
    assert (last.states["conflict"], last.states["pending"], last.states["synced"]) == (1, 0, 0)


def test_an_operation_is_found_by_its_number_and_no_other_is(settings):
    create(settings)
    (operation,) = history.operations(settings)
    details = vars(history.operation(settings, operation.id))
    assert details.pop("details")["pushed"]
    assert details == vars(operation)
    with pytest.raises(NotFound):
        history.operation(settings, operation.id + 1)


def test_no_cell_of_the_csv_is_a_formula(settings):
    service.sync(settings, Request('=HYPERLINK("http://evil")'))
    (row,) = csv.DictReader(io.StringIO(history.as_csv(history.operations(settings))))
    assert row["actor"] == '\'=HYPERLINK("http://evil")'


# --- Undo ------------------------------------------------------------------------------------


def test_a_pulled_hand_edit_can_be_taken_back(settings, crontab):
    task = create(settings)
    before = crontab.read()
    crontab.write(before.replace(b"0 2 * * *", b"9 9 * * *"))
    done = service.sync(settings, Request(ME))
    assert tasks.get(settings, task.id).schedule == "9 9 * * *"
    tasks.undo_sync(settings, ME, done)
    assert crontab.read() == before
    assert tasks.get(settings, task.id).schedule == "0 2 * * *"


def test_a_hand_edit_that_was_overwritten_can_be_had_back(settings, crontab):
    task = create(settings)
    by_hand = crontab.read().replace(b"0 2 * * *", b"9 9 * * *")
    crontab.write(by_hand)
    choice = {task.crontab_id: Policy.DATABASE}
    done = service.sync(settings, Request(ME, choices=choice))
    assert crontab.read() != by_hand
    tasks.undo_sync(settings, ME, done)
    assert crontab.read() == by_hand


def test_a_pulled_removal_can_be_taken_back(settings, crontab):
    task = create(settings)
    create(settings, "Other")
    entry = crontab.read().splitlines()[1]
    crontab.write(b"\n".join(crontab.read().splitlines()[2:]) + b"\n")
    done = service.sync(settings, Request(ME))
    assert not tasks.get(settings, task.id).is_system_managed
    tasks.undo_sync(settings, ME, done)
    assert entry.split(b" # ")[0] in crontab.read()
    assert tasks.get(settings, task.id).is_system_managed


def test_what_the_background_took_over_can_be_taken_back_from_the_history(settings, crontab):
    task = create(settings)
    before = crontab.read()
    crontab.write(before.replace(b"0 2 * * *", b"9 9 * * *"))
    service.sync(settings, Request(service.BACKGROUND))
    assert tasks.get(settings, task.id).schedule == "9 9 * * *"
    tasks.undo_operation(settings, ME, history.operations(settings)[0])
    assert crontab.read() == before
    assert tasks.get(settings, task.id).schedule == "0 2 * * *"


def test_a_sync_is_not_taken_back_over_a_later_change(settings, crontab):
    task = create(settings)
    crontab.write(crontab.read().replace(b"0 2 * * *", b"9 9 * * *"))
    done = service.sync(settings, Request(ME))
    tasks.change(settings, ME, task.id, schedule="1 1 * * *")
    with pytest.raises(Stale):
        tasks.undo_sync(settings, ME, done)
    assert tasks.get(settings, task.id).schedule == "1 1 * * *"


def test_what_was_imported_can_be_given_back_byte_for_byte(settings, crontab):
    crontab.write(EXISTING)
    done = adopt.adopt(settings, ME)
    assert crontab.read() != EXISTING
    release(settings, ME, done.imported)
    assert crontab.read() == EXISTING
    assert tasks.listing(settings).tasks == []
    service.sync(settings, Request(ME))
    assert crontab.read() == EXISTING


def test_a_release_that_dies_half_way_loses_no_entry(settings, crontab):
    crontab.write(EXISTING)
    done = adopt.adopt(settings, ME)
    tagged = crontab.read()
    refusing = replace(settings, crontab_program=str(settings.home / "refuses"))
    (settings.home / "refuses").write_text(
        '#!/bin/sh\n[ "$1" = - ] && exit 1\nexec /usr/bin/crontab "$@"\n'
    )
    (settings.home / "refuses").chmod(0o755)
    with pytest.raises(CrontabUnavailable):
        release(refusing, ME, done.imported)
    service.sync(settings, Request(ME))
    assert crontab.read() == tagged
    assert len(findings(settings, Discrepancy.UNKNOWN_TAG)) == 3


# --- Choices and fixes -----------------------------------------------------------------------


def test_a_choice_never_overwrites_what_was_not_shown(settings, crontab):
    task = create(settings)
    shown = crontab.read().replace(b"0 2 * * *", b"9 9 * * *")
    crontab.write(shown)
    seen = service.preview(settings).plan.changes
    newer = shown.replace(b"9 9 * * *", b"8 8 * * *")
    crontab.write(newer)
    choice = {task.crontab_id: Policy.DATABASE}
    with pytest.raises(Stale):
        service.sync(settings, Request(ME, choices=choice, seen=seen))
    assert crontab.read() == newer


ENTRY = b"0 2 * * * /home/pi/backup.sh"
"""The line of `create` without its tag."""


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
def test_a_fix_leaves_nothing_of_its_kind(settings, crontab, kind, broken, fix):
    create(settings, "Backup")
    crontab.force(re.sub(*broken, crontab.read()))
    found = findings(settings, kind)
    assert found
    assert fix in fixes.of(found[0])
    fixes.apply(settings, ME, found, fix)
    assert findings(settings, kind) == []


def test_a_fix_of_a_line_that_was_changed_meanwhile_is_refused(settings, crontab):
    create(settings, "Backup")
    crontab.force(crontab.read() + b"61 * * * * x\n")
    found = findings(settings, Discrepancy.INVALID_LINE)
    crontab.force(crontab.read().replace(b"61 *", b"62 *"))
    before = crontab.read()
    with pytest.raises(ConcurrentModification, match="changed since"):
        fixes.apply(settings, ME, found, Fix.COMMENT_OUT)
    assert crontab.read() == before


def test_an_operation_knows_the_texts_before_and_after_it(settings, crontab):
    crontab.write(EXISTING)
    text = EXISTING.decode()
    edit.save_raw(settings, text + "# more\n", text, actor=ME)
    create(settings)
    for operation in history.operations(settings):
        before = edit.snapshot(settings, operation.before).text
        after = edit.snapshot(settings, operation.after).text
        assert before != after
    assert (before, after) == (text, text + "# more\n")
