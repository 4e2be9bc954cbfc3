"""The parser of phrases reads the description of a schedule as the same schedule."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pitasker_core.crontab.phrases import Kind, read
from pitasker_core.crontab.schedule import Schedule, describe, meaning, parse
from tests.crontab.test_phrases import TABLE

EXAMPLES = int(os.environ.get("EXAMPLES", "100"))
_BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def elements(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    pair = st.tuples(number, number).map(sorted)
    span = st.one_of(st.just("*"), pair.map(lambda ends: f"{ends[0]}-{ends[1]}"))
    stepped = st.tuples(span, st.integers(1, 31)).map(lambda parts: f"{parts[0]}/{parts[1]}")
    return st.one_of(number.map(str), span, stepped)


def fields(low: int, high: int) -> st.SearchStrategy[str]:
    element = elements(low, high)
    return st.one_of(st.just("*"), element, st.lists(element, min_size=2, max_size=4).map(",".join))


SCHEDULES = st.tuples(*(fields(*bounds) for bounds in _BOUNDS)).map(" ".join).map(parse)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 2 * * *", "Every day at 02:00"),
        ("17 3 * * 1", "Mondays at 03:17"),
        ("0 9 * * 1-5", "Monday to Friday at 09:00"),
        ("30 12 * * 1,3,5", "Mondays, Wednesdays and Fridays at 12:30"),
        ("0 10 * * 6,0", "Saturdays and Sundays at 10:00"),
        ("0 4 1,15 * *", "On the 1st and 15th of every month at 04:00"),
        ("0 8 25 12 *", "On 25 December at 08:00"),
        ("0 0 1 */3 *", "On the 1st of January, April, July and October at 00:00"),
        ("0 6 * 6-8 *", "Every day from June to August at 06:00"),
        ("0 0 13 * 5", "On the 13th of every month and on every Friday at 00:00"),
        ("0 9 */31,2-7 * 1", "On the first Monday of every month at 09:00"),
        ("0 9 8-14 * */7", "On the second Sunday of every month at 09:00"),
        ("0 0 */15 * 1", "On the 1st, 16th and 31st of every month, but only on Mondays at 00:00"),
        ("* * * * *", "Every minute"),
        ("*/15 * * * *", "Every 15 minutes"),
        ("@hourly", "Every hour"),
        ("17 * * * *", "At minute 17 of every hour"),
        ("0 */2 * * *", "Every 2 hours"),
        ("17 */2 * * *", "Every 2 hours at minute 17"),
        ("*/15 9-16 * * 1-5", "Every 15 minutes from 09:00 to 16:45, Monday to Friday"),
        ("30 9-17 * * *", "Every hour from 09:30 to 17:30"),
        ("*/10 22-23,0-5 * * *", "Every 10 minutes from 22:00 to 05:50"),
        ("*/15 9,17 * * *", "Every 15 minutes of the hours 9 and 17"),
        ("5,10,17 8-11,14 * * *", "At minutes 5, 10 and 17 of the hours 8 to 11 and 14"),
        ("*/7 * * * *", "At minutes 0, 7, 14, … 56 of every hour"),
        ("* 3 * * *", "Every minute from 03:00 to 03:59"),
    ],
)  # fmt: skip
def test_a_schedule_is_described_in_plain_words(text: str, words: str) -> None:
    assert describe(parse(text)) == words


def understood(words: str) -> Schedule:
    reading = read(words)
    assert (reading.kind, len(reading.offers)) == (Kind.EXACT, 1), words
    return parse(reading.offers[0].schedule)


@settings(deadline=None, max_examples=EXAMPLES)
@given(SCHEDULES.filter(lambda schedule: not schedule.never_runs))
def test_any_description_is_understood_to_the_same_schedule(schedule: Schedule) -> None:
    assert meaning(understood(describe(schedule))) == meaning(schedule)


def test_each_schedule_of_the_table_survives_its_description() -> None:
    texts = {text for row in TABLE for text in row["schedules"].split(" | ") if text}
    assert len(texts) > 150
    for schedule in map(parse, texts):
        assert meaning(understood(describe(schedule))) == meaning(schedule)
