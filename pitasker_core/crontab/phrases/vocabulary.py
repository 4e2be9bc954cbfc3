"""The English words of schedules, and the correction of words that are nearly right."""

from enum import Enum, auto
from functools import lru_cache
from typing import Any


class Kind(Enum):
    """What a token is."""

    WORD = auto()
    NUMBER = auto()
    ORDINAL = auto()
    CLOCK = auto()
    """A time of day: hour, minute, and "am", "pm" or None where the text leaves it open."""
    MINUTE = auto()
    """`:15`."""
    DATE = auto()
    """Two numbers and perhaps a year."""
    WEEKDAY = auto()
    WEEKDAYS = auto()
    MONTH = auto()
    UNIT = auto()
    PERIOD = auto()
    """An adverb of frequency: a number and a unit."""
    PART = auto()
    """A part of the day."""
    SIGN = auto()
    ZONE = auto()
    UNKNOWN = auto()
    END = auto()


WEEKDAY_NAMES = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
MONTH_NAMES = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
ORDINAL_NAMES = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last"}
NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
"""Cron's nicknames, but for `@reboot`, and cron's own expansion of them."""
WEEKDAYS = frozenset([1, 2, 3, 4, 5])
WEEKEND = frozenset([6, 0])

_UNITS = {
    "second": "second seconds sec secs s",
    "minute": "minute minutes min mins m",
    "hour": "hour hours hr hrs h",
    "day": "day days d",
    "week": "week weeks wk wks w",
    "month": "month months mo mth",
    "quarter": "quarter quarters",
    "year": "year years yr yrs y",
}
_PERIODS: dict[str, tuple[int, str]] = {
    "minutely": (1, "minute"),
    "hourly": (1, "hour"),
    "daily everyday": (1, "day"),
    "weekly": (1, "week"),
    "monthly": (1, "month"),
    "quarterly": (3, "month"),
    "yearly annually annual": (1, "year"),
    "fortnightly fortnight": (2, "week"),
    "halfhourly": (30, "minute"),
    "weeknight": (1, "weekday"),
}
_PARTS = {
    "morning": "morning mornings",
    "afternoon": "afternoon afternoons",
    "evening": "evening evenings eve",
    "night": "night nights nightly nite tonight",
}
_NUMBERS = (
    "zero one two three four five six seven eight nine "
    "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty"
)
_TENS = {"thirty": 30, "forty": 40, "fourty": 40, "fifty": 50, "sixty": 60, "ninety": 90}
_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
    "thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
)
_DAY_GROUPS = {
    "weekday weekdays workday workdays": WEEKDAYS,
    "weekend weekends": WEEKEND,
}
_MISSPELT_NAMES = {"tues": 2, "weds wensday wednsday": 3, "thur thurs thirsday": 4}
_PLAIN_WORDS = (
    "end between before or but if only in of half twice once thrice next tomorrow up "
    "biweekly bimonthly semimonthly"
)
"""Words that no other word stands for."""
_LEMMAS = {
    **{word: word for word in _PLAIN_WORDS.split()},
    "every": "every each per",
    "parity": "even odd",
    "other": "other alternate",
    "at": "at around @",
    "from": "from starting beginning",
    "to": "to through thru until till",
    "past": "past after",
    "and": "and plus also & +",
    "a": "a an",
    "except": "except excluding without not besides",
    "times": "times time x",
    "last": "last",
    "today": "today now",
    "boot": "boot boots reboot reboots booting startup bootup restart restarts poweron",
    "start": "start starts",
    "system": "system machine computer server pi",
    "working": "working business work office",
    "during": "during while",
    "date": "date dates",
    "daylight": "sunrise sunset dawn dusk sunup sundown",
    "holiday": "holiday holidays easter",
    "biannually": "biannually biannual semiannually semiannual",
    "hour-top": "top",
    "hour-bottom": "bottom",
    "filler": "the on run runs running please job my it is its task script exactly sharp do "
    "execute command schedule o'clock happens that this then precisely always when",
}


def _words() -> dict[str, tuple[Kind, Any]]:
    words: dict[str, tuple[Kind, Any]] = {}
    for lemma, forms in _LEMMAS.items():
        words |= dict.fromkeys(forms.split(), (Kind.WORD, lemma))
    for unit, forms in _UNITS.items():
        words |= dict.fromkeys(forms.split(), (Kind.UNIT, unit))
    for part, forms in _PARTS.items():
        words |= dict.fromkeys(forms.split(), (Kind.PART, part))
    for forms, period in _PERIODS.items():
        words |= dict.fromkeys(forms.split(), (Kind.PERIOD, period))
    words |= {word: (Kind.NUMBER, number) for number, word in enumerate(_NUMBERS.split())}
    words |= {word: (Kind.NUMBER, number) for word, number in _TENS.items()}
    words |= {word: (Kind.ORDINAL, number) for number, word in enumerate(_ORDINALS.split(), 1)}
    words["second"] = (Kind.UNIT, "second")  # the tokenizer knows when it is the ordinal
    for forms, days in _DAY_GROUPS.items():
        words |= dict.fromkeys(forms.split(), (Kind.WEEKDAYS, days))
    for kind, names, first in (
        (Kind.MONTH, MONTH_NAMES, 1),
        (Kind.WEEKDAY, WEEKDAY_NAMES, 0),
    ):
        for number, name in enumerate(names, first):
            # Any beginning of three letters or more; `may` and `mar` are months.
            full = name.lower()
            ends = [full[:length] for length in range(3, len(full) + 1)]
            words |= dict.fromkeys((*ends, f"{full}s", f"{full[:3]}s"), (kind, number))
    for forms, day in _MISSPELT_NAMES.items():
        words |= dict.fromkeys(forms.split(), (Kind.WEEKDAY, day))
    words |= {
        "sept": (Kind.MONTH, 9),
        "noon": (Kind.CLOCK, (12, 0, "24")),
        "midday": (Kind.CLOCK, (12, 0, "24")),
        "noontime": (Kind.CLOCK, (12, 0, "24")),
        "midnight": (Kind.CLOCK, (0, 0, "24")),
        "midnite": (Kind.CLOCK, (0, 0, "24")),
        "christmas": (Kind.DATE, (25, 12, None, True)),
        "utc": (Kind.ZONE, "utc"),
        "gmt": (Kind.ZONE, "gmt"),
    }
    return words


WORDS: dict[str, tuple[Kind, Any]] = _words()
NAMES = {Kind.WEEKDAY: WEEKDAY_NAMES, Kind.MONTH: ("", *MONTH_NAMES)}
_TARGETS = tuple(word for word in WORDS if len(word) >= 3)
_MOST_EDITED = 16


@lru_cache(maxsize=512)
def correct(word: str, targets: tuple[str, ...] = _TARGETS) -> str | None:
    """The word that was probably meant: one letter more, less or different, or two swapped.

    Words of fewer than four letters are left alone: too many others are near them.
    """
    if not 4 <= len(word) <= _MOST_EDITED:
        return None
    # One edit leaves one of the first two letters; this spares most comparisons.
    ends = word[:2]
    near = [
        target
        for target in targets
        if (target[0] in ends or target[1] in ends) and _is_one_edit_away(word, target)
    ]
    # A longer word is nearer in proportion; the same first letter is the better sign.
    return max(near, key=lambda target: (target[0] == word[0], len(target)), default=None)


def _is_one_edit_away(word: str, other: str) -> bool:
    if abs(len(word) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(word), len(other)) and word[start] == other[start]:
        start += 1
    rest, other_rest = word[start:], other[start:]
    swapped = rest[1::-1] + rest[2:]
    return (
        rest[1:] == other_rest[1:]
        or rest[1:] == other_rest
        or rest == other_rest[1:]
        or (len(rest) > 1 and swapped == other_rest)
    )
