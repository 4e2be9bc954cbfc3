"""Our grammar of schedules, compared with the installed cron's.

Debian's `crontab -n` says what cron accepts. On ARM it accepts more than cron can run (its parser
misses errors there). So the test checks only that cron accepts what we accept.
"""

import platform
import random
import subprocess

import pytest

from pitasker_core.crontab.schedule import InvalidSchedule, parse
from tests.crontab.test_phrases import TABLE

_LOW = (0, 0, 1, 1, 0)
_HIGH = (59, 23, 31, 12, 7)
_WORDS = ("", "", "", "jan feb DEC Sept", "sun Mon SAT tues monday")


def cron_takes(schedule: str) -> bool:
    # From its input: `crontab` refuses a file with a long path.
    text = f"{schedule} true\n".encode("utf-8", "surrogateescape")
    return subprocess.run(["crontab", "-n", "-"], input=text, capture_output=True).returncode == 0


def we_take(schedule: str) -> bool:
    try:
        parse(schedule)
    except InvalidSchedule:
        return False
    return True


def _number(chance: random.Random, place: int) -> str:
    low, high = _LOW[place], _HIGH[place]
    words = _WORDS[place].split()
    if words and chance.random() < 0.25:
        return chance.choice(words)
    if chance.random() < 0.1:
        return chance.choice(["", "x", "007", str(high + 1), str(low - 1), "5x", "1.5", "é", "*"])
    return str(chance.randint(low, high))


def _element(chance: random.Random, place: int) -> str:
    kind = chance.random()
    if kind < 0.3:
        text = "*"
    elif kind < 0.6:
        text = _number(chance, place)
    else:
        text = f"{_number(chance, place)}-{_number(chance, place)}"
    if chance.random() < 0.3:
        text += f"/{chance.choice(['1', '2', '15', '100', '0', '', 'x', '-1'])}"
    if chance.random() < 0.06:
        text += chance.choice(["~", "#3", "L", "W", "?", "/2/2", "-9", ":30", "H", "&"])
    return text


def _schedule(chance: random.Random) -> str:
    fields = ["*"] * 5
    for place in chance.sample(range(5), chance.randint(1, 3)):
        elements = [_element(chance, place) for _ in range(chance.choice([1, 1, 2, 3]))]
        fields[place] = ",".join(elements) or "*"
    return chance.choice([" ", " ", "\t", "  "]).join(fields)


@pytest.mark.skipif(
    b"[-n]" not in subprocess.run(["crontab", "-h"], capture_output=True).stderr,
    reason="this `crontab` has no -n, by which Debian's checks without installing",
)
@pytest.mark.parametrize("seed", range(4))
def test_we_take_exactly_the_schedules_that_cron_takes(seed: int) -> None:
    chance = random.Random(seed)
    misses_errors = platform.machine() not in ("x86_64", "i686")
    taken = refused = 0
    for _ in range(400):
        schedule = _schedule(chance)
        ours, crons = we_take(schedule), cron_takes(schedule)
        if misses_errors:
            assert crons or not ours, schedule
        else:
            assert ours == crons, schedule
        taken += ours
        refused += not ours
    # The comparison is useful only if both results happen often.
    assert taken > 80
    assert refused > 80


@pytest.mark.parametrize(
    "nickname",
    ["@reboot", "@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"],
)
def test_we_take_each_nickname_that_cron_takes(nickname: str) -> None:
    assert we_take(nickname)
    assert cron_takes(nickname)


@pytest.mark.parametrize("nickname", ["@Daily", "@every", "@noon", "@", "daily"])
def test_we_refuse_each_nickname_that_cron_refuses(nickname: str) -> None:
    assert not we_take(nickname)
    assert not cron_takes(nickname)


def test_cron_takes_each_schedule_that_words_are_given() -> None:
    texts = {text for row in TABLE for text in row["schedules"].split(" | ") if text}
    # Cron checks a file per call, and refuses the whole file for one bad line.
    assert cron_takes(" true\n".join(sorted(texts)))
    assert not cron_takes(" true\n".join([*sorted(texts), "61 * * * *"]))
