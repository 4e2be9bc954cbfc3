"""The parser: from a phrase to a reading. Deterministic; it knows no clock and asks no network."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from pitasker_core.crontab.phrases import dates, intervals, limits, times
from pitasker_core.crontab.phrases.composing import compose, several
from pitasker_core.crontab.phrases.outline import Cursor, Outline, Refused
from pitasker_core.crontab.phrases.reading import Kind, Offer, Reading
from pitasker_core.crontab.phrases.tokens import Token, tokenize
from pitasker_core.crontab.phrases.vocabulary import NAMES, NICKNAMES, WORDS, correct
from pitasker_core.crontab.phrases.vocabulary import Kind as TokenKind

LONGEST = 600
"""Characters of a phrase: the description of the oddest schedule is not longer."""
_MOST_CORRECTIONS = 3
_NICKNAMES = ("@reboot", *NICKNAMES)

# Each is tried in this order at each place; the first that understands what it finds there wins.
_CLAUSES: tuple[Callable[[Cursor, Outline], bool], ...] = (
    intervals.read_rate,
    limits.read_once,
    dates.read_exception,
    dates.read_condition,
    dates.read_last,
    dates.read_nth_weekday,
    dates.read_month_end,
    dates.read_parity,
    intervals.read_bare_interval,
    intervals.read_every,
    intervals.read_period,
    times.read_working_hours,
    times.read_minutes,
    dates.read_months,
    times.read_times,
    times.read_window,
    times.read_hours,
    times.read_part_of_day,
    dates.read_weekdays,
    dates.read_days,
    dates.read_date,
    limits.refuse_daylight,
    limits.read_boot,
    limits.read_place,
    limits.read_filler,
)


@lru_cache(maxsize=1024)
def read(text: str) -> Reading:
    """What a phrase means to cron: `read("every weekday at 7:30")` offers `30 7 * * 1-5`."""
    if len(text) > LONGEST:
        return Reading(Kind.UNKNOWN, reason=f"The text is longer than {LONGEST} characters.")
    text = " ".join(text.split())
    if not text:
        return Reading(Kind.UNKNOWN, reason="The text is empty.")
    if text.startswith("@"):
        nickname = _nickname(text)
        if nickname:
            return nickname
    try:
        tokens, corrections = _corrected(tokenize(text.removeprefix("@")))
    except Refused as refused:
        return refused.reading
    reading = _read_meanings(tokens)
    if corrections and reading.kind is Kind.EXACT:
        reading = replace(reading, kind=Kind.CORRECTED)
    if reading.kind is Kind.UNKNOWN:
        return replace(reading, notes=())
    return replace(reading, notes=(*corrections, *reading.notes))


def _nickname(text: str) -> Reading | None:
    word = text.split()[0].lower()
    if word in _NICKNAMES:
        nickname: str | None = word
    else:
        nickname = correct(word, _NICKNAMES)
    if nickname is None or (word != text.lower()):
        return None
    note = () if text == nickname else (f"{text!r} is read as {nickname}.",)
    kind = Kind.CORRECTED if note else Kind.EXACT
    return Reading(kind, (Offer(nickname),), notes=note)


def _corrected(tokens: list[Token]) -> tuple[list[Token], list[str]]:
    """The tokens, with words that are nearly right replaced, and what was replaced.

    Raises Refused at a word that is not understood, so that a text that is no phrase costs little.
    """
    notes: list[str] = []
    better = []
    for at, token in enumerate(tokens):
        if token.kind is TokenKind.UNKNOWN and not _is_place(tokens, at):
            word = correct(token.text) if len(notes) < _MOST_CORRECTIONS else None
            if word is None:
                raise Refused(f"“{token.text}” is not understood here.")
            kind, value = WORDS[word]
            full = NAMES[kind][value] if kind in NAMES else word
            notes.append(f"“{token.text}” is read as “{full}”.")
            token = Token(kind, value, word)
        better.append(token)
    return better, notes


def _is_place(tokens: list[Token], at: int) -> bool:
    """Whether an unknown word is a place by the words around it."""
    first = last = at
    while first > 0 and tokens[first - 1].kind is TokenKind.UNKNOWN:
        first -= 1
    while last + 1 < len(tokens) and tokens[last + 1].kind is TokenKind.UNKNOWN:
        last += 1
    before, behind = tokens[first - 1 : first], tokens[last + 1 : last + 2]
    return any(token.value == "in" for token in before) or any(
        token.text == "time" for token in behind
    )


def _read_meanings(tokens: list[Token]) -> Reading:
    """Read the phrase by the first meaning of each ambiguous place, then by the others."""
    first = Outline()
    reading = _read_outline(tokens, first)
    if not first.questions or not reading.offers:
        return reading
    readings = [reading]
    labels = [first.questions[0][0]]
    for place, meanings in enumerate(first.questions):
        for meaning in range(1, len(meanings)):
            readings.append(_read_outline(tokens, Outline(decisions={place: meaning})))
            labels.append(meanings[meaning])
    return _choice(readings, labels)


def _choice(readings: list[Reading], labels: list[str]) -> Reading:
    """The readings of several meanings as one."""
    offers: dict[tuple[str, str], Offer] = {}
    for label, reading in zip(labels, readings, strict=True):
        for offer in reading.offers:
            key = (offer.schedule, offer.command_test)
            offers.setdefault(key, replace(offer, meaning=label))
    first = readings[0]
    if len(offers) == 1:
        return first
    is_exact = all(reading.kind is Kind.EXACT for reading in readings)
    reasons = dict.fromkeys(reading.reason for reading in readings if reading.reason)
    ways = [
        f"For {label}: {reading.usual_way}"
        for label, reading in zip(labels, readings, strict=True)
        if reading.usual_way
    ]
    question = f"The text has several meanings: {', or '.join(labels)}."
    return replace(
        first,
        kind=Kind.CHOICE if is_exact else Kind.NEAREST,
        offers=tuple(offers.values()),
        reason=" ".join([question, *reasons]),
        usual_way="\n".join(ways),
    )


def _read_outline(tokens: list[Token], outline: Outline) -> Reading:
    cursor = Cursor(tokens)
    try:
        while cursor.at < len(tokens):
            if not _read_clause(cursor, outline):
                raise Refused(f"“{cursor.peek().text}” is not understood here.")
        if len(outline.clauses) >= 4:
            return _read_parts(tokens, outline)
        return compose(outline)
    except Refused as refused:
        return refused.reading


def _read_parts(tokens: list[Token], outline: Outline) -> Reading:
    """The reading of "weekdays at 8 and weekends at 10": dates and times in turn, twice or more."""
    starts = [0, *(at for _, at in outline.clauses[2::2]), len(tokens)]
    parts = [
        _read_outline(tokens[start:end], Outline()) for start, end in itertools.pairwise(starts)
    ]
    schedules = tuple(offer.schedule for part in parts for offer in part.offers[:1])
    if any(part.kind is not Kind.EXACT or part.place for part in parts):
        return Reading(Kind.UNKNOWN, reason="The text names several dates and times; split it.")
    return several(schedules, "These are several schedules.", tuple(outline.notes))


_DATES = frozenset(
    [
        dates.read_date,
        dates.read_days,
        dates.read_last,
        dates.read_months,
        dates.read_nth_weekday,
        dates.read_parity,
        dates.read_weekdays,
    ]
)
_TIMES = frozenset(
    [times.read_times, times.read_minutes, intervals.read_every, intervals.read_period]
)
_FILLERS = ("and", "or", ",", "filler", "a", "of", "every")


def _read_clause(cursor: Cursor, outline: Outline) -> bool:
    start, conjunction, between = cursor.at, cursor.conjunction, cursor.between
    steps = (outline.minute_step, outline.hour_step)
    for clause in _CLAUSES:
        cursor.at, cursor.between = start, between
        if clause(cursor, outline) and cursor.at > start:
            break
    else:
        cursor.at, cursor.conjunction = start, conjunction
        return False
    if cursor.at > start + 1 or cursor.tokens[start].value not in _FILLERS:
        cursor.conjunction = None
    is_time = clause in _TIMES and (
        clause not in (intervals.read_every, intervals.read_period)
        or steps != (outline.minute_step, outline.hour_step)
    )
    if is_time or clause in _DATES:
        group = "time" if is_time else "date"
        if not outline.clauses or outline.clauses[-1][0] != group:
            outline.clauses.append((group, start))
    return True
