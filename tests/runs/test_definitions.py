"""The schedule at an earlier time comes from that time's crontab, not from the present task."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from pitasker_core.crontab.schedule import parse
from pitasker_core.runs.missed.definitions import TAKES_UP, Definition, Observation, Span, spans

TAG = UUID("11111111-2222-3333-4444-555555555555")
DAY = datetime(2026, 11, 25, tzinfo=UTC)
OLD, NEW = Definition(parse("0 * * * *"), False), Definition(parse("30 * * * *"), False)


def at(hour):
    return DAY + timedelta(hours=hour)


def seen(hour, definition, *, is_written=False):
    return Observation(at(hour), is_written, {TAG: definition} if definition else {})


@pytest.mark.parametrize(
    ("observations", "edits", "expected"),
    [
        pytest.param([], [], [], id="nothing was seen"),
        pytest.param([seen(1, OLD)], [], [Span(OLD, at(1), None)], id="it never changed"),
        pytest.param(
            [seen(1, OLD), seen(3, OLD)], None, [Span(OLD, at(1), None)], id="another line changed"
        ),
        pytest.param(
            [seen(1, OLD), seen(5, NEW, is_written=True)],
            None,
            [Span(OLD, at(1), at(5)), Span(NEW, at(5) + TAKES_UP, None)],
            id="our own write is exact",
        ),
        pytest.param(
            [seen(1, OLD), seen(9, NEW)],
            [at(4), at(6)],
            [Span(OLD, at(1), at(4)), Span(NEW, at(6) + TAKES_UP, None)],
            id="the log shows between when it was changed by hand",
        ),
        pytest.param(
            [seen(1, OLD), seen(9, NEW)],
            None,
            [Span(NEW, at(9) + TAKES_UP, None)],
            id="of the time in which it was changed nothing is known",
        ),
        pytest.param(
            [seen(1, OLD), seen(9, None)], [at(4)], [Span(OLD, at(1), at(4))], id="it was taken out"
        ),
        pytest.param(
            [seen(1, None), seen(9, NEW, is_written=True)],
            [],
            [Span(NEW, at(9) + TAKES_UP, None)],
            id="it was put in",
        ),
    ],
)
def test_when_cron_went_by_which_definition(observations, edits, expected):
    assert spans(observations, edits, TAG) == expected
