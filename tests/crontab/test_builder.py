"""The builder of schedules: from the text to its fields and back."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pitasker_core.crontab import builder
from pitasker_core.crontab.builder import (
    CHOICES,
    DAY,
    HOUR,
    KINDS,
    MINUTE,
    MONTH,
    PRESETS,
    WEEKDAY,
    Mode,
    explain_days,
    read_schedule,
)
from pitasker_core.crontab.schedule import Schedule, describe, parse
from tests.crontab.test_describing import SCHEDULES


@settings(deadline=None)
@given(SCHEDULES)
def test_a_schedule_that_is_not_touched_keeps_its_text(schedule: Schedule) -> None:
    build = read_schedule(schedule.text)
    assert build.text == schedule.text
    for field in build.fields:
        assert build.with_field(field).text == schedule.text


@settings(deadline=None)
@given(SCHEDULES)
def test_a_field_of_a_known_form_has_the_values_that_cron_reads(schedule: Schedule) -> None:
    rebuilders = {
        Mode.EVERY: lambda field: builder.every(field.kind),
        Mode.AT: lambda field: builder.at(field.kind, *field.values),
        Mode.LIST: lambda field: builder.at(field.kind, *field.values),
        Mode.STEP: lambda field: builder.stepped(field.kind, field.step, *field.values),
        Mode.OTHER: lambda field: field,
    }
    build = read_schedule(schedule.text)
    for field in build.fields:
        if field.mode is not Mode.RANGE:  # a backward range selects nothing, ours wraps
            build = build.with_field(rebuilders[field.mode](field))
    again = parse(build.text)
    for values in ("minutes", "hours", "days", "months", "weekdays"):
        assert getattr(again, values) == getattr(schedule, values)


@pytest.mark.parametrize(
    ("text", "modes"),
    [
        ("*/15 9-17 1,15 jan mon-fri", "step range list at range"),
        ("0 0-20/2 * 1-5,7 5#3", "at step every other other"),
        ("@weekly", "at at every every at"),
        ("@reboot", ""),
    ],
)
def test_each_field_has_the_mode_by_which_it_is_written(text: str, modes: str) -> None:
    assert " ".join(field.mode.value for field in read_schedule(text).fields) == modes


def test_names_are_read_as_their_values() -> None:
    *_, month, weekday = read_schedule("0 9 * Jan,dec FRI-sun").fields
    assert (month.values, weekday.values) == ((1, 12), (5, 7))


def test_only_the_touched_field_changes_also_with_odd_blanks() -> None:
    build = read_schedule("007\t0-23  1-31/2 *   mon-fri")
    assert build.with_field(builder.at(HOUR, 9)).text == "007\t9  1-31/2 *   mon-fri"


def test_a_nickname_becomes_its_five_fields_when_touched() -> None:
    assert read_schedule("@daily").with_field(builder.at(HOUR, 3)).text == "0 3 * * *"
    assert read_schedule("@reboot").with_field(builder.at(MINUTE, 5)).text == "5 * * * *"


def test_a_range_that_wraps_is_written_as_two() -> None:
    assert builder.from_to(WEEKDAY, 6, 1).text == "6-7,1"
    assert builder.from_to(HOUR, 22, 5).text == "22-23,0-5"
    assert builder.from_to(MONTH, 6, 8).text == "6-8"


def test_every_value_has_a_label() -> None:
    for kind in KINDS:
        assert list(kind.labels) == list(range(kind.low, kind.high + 1))
    assert WEEKDAY.labels[7] == "Sunday"
    assert DAY.labels[31] == "31"


@pytest.mark.parametrize(("name", "schedule"), PRESETS.items())
def test_a_preset_is_named_by_its_description(name: str, schedule: str) -> None:
    assert describe(parse(schedule)) == name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 0 13 * 5", "on the 13th and on every Friday: with both fields set, either"),
        ("0 0 */2 * 1", "31st, but only on every Monday: the day of month begins with *"),
        ("0 0 1-7 * */7", "1st to 7th, but only on every Sunday: the day of week begins with *"),
    ],
)
def test_it_says_how_days_of_month_and_of_week_combine(text: str, words: str) -> None:
    assert words in explain_days(parse(text))


@pytest.mark.parametrize("text", ["0 0 13 * *", "0 0 * * 5", "@reboot", "0 0 1-31 * 5", "@daily"])
def test_it_says_nothing_where_one_field_alone_counts(text: str) -> None:
    assert explain_days(parse(text)) == ""


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_range_is_read_back_as_a_range_also_where_it_wraps(kind) -> None:
    values = {kind.low, kind.low + 1, kind.high - 1, kind.high}
    for first, last in itertools.permutations(values, 2):
        field = builder.read_field(kind, builder.from_to(kind, first, last).text)
        assert (field.mode, field.values) == (Mode.RANGE, (first, last))


@settings(deadline=None)
@given(SCHEDULES, st.sampled_from(CHOICES))
def test_a_field_in_another_mode_is_one_that_cron_accepts_and_is_read_back_so(
    schedule: Schedule, mode: Mode
) -> None:
    build = read_schedule(schedule.text)
    for field in build.fields:
        changed = builder.with_mode(field, mode)
        place = KINDS.index(field.kind)
        again = read_schedule(build.with_field(changed).text).fields[place]
        assert (again.mode, again.values) == (changed.mode, changed.values)
        assert parse(build.with_field(changed).text)


def test_another_mode_keeps_the_values_that_it_can() -> None:
    nine_to_five = builder.read_field(HOUR, "9-17")
    assert builder.with_mode(nine_to_five, Mode.STEP).text == "9-17/2"
    assert builder.with_mode(nine_to_five, Mode.AT).text == "9"
    assert builder.with_mode(builder.read_field(HOUR, "9,12,17"), Mode.RANGE).text == "9-17"
