"""The tokens of a phrase. The time taken grows with the length of the text, not faster."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pitasker_core.crontab.phrases.vocabulary import WORDS, Kind


@dataclass(frozen=True)
class Token:
    """A word, number or sign with its meaning."""

    kind: Kind
    value: Any
    text: str


END = Token(Kind.END, None, "")

_AREAS = (
    "africa|america|antarctica|arctic|asia|atlantic|australia|brazil|canada|etc|europe|indian|"
    "pacific|us"
)
_TOKEN = re.compile(
    rf"""
    (?P<zone>(?:{_AREAS})/[a-z_/+\-0-9]+)
  | (?P<iso>\d{{4}}-\d\d?-\d\d?)
  | (?P<date>\d\d?/\d\d?(?:/\d{{2,4}})?(?![\d/])|\d\d?\.\d\d?\.(?:\d{{4}}|\d\d)?(?!\d))
  | (?P<clock>\d\d?[:.h]\d\d(?::\d\d)?(?![\d:]))
  | (?P<minute>:\d\d(?!\d))
  | (?P<half>\d{{1,3}}[.,]5(?!\d))
  | (?P<ordinal>\d{{1,3}}(?:st|nd|rd|th)(?![a-z]))
  | (?P<number>\d+)
  | (?P<word>@?[^\W\d_]+(?:'[^\W\d_]+)?)
  | (?P<ellipsis>…|\.\.\.)
  | (?P<blank>\s+)
  | (?P<sign>.)
    """,
    re.VERBOSE,
)
_SIGNS = {"-": "-", ",": ",", "/": "/", "&": "and", "+": "and", ";": ",", ".": ".", "…": "…"}
_PLAIN = str.maketrans({"–": "-", "—": "-", "‐": "-", "−": "-", "’": "'", "\u00a0": " ", "`": "'"})
_SPELT = (
    (re.compile(r"\b([ap])\.? ?m\.?(?![a-z])"), r"\1m"),
    (re.compile(r"(?<=[a-z])'s\b"), "s"),
    (re.compile(r"\b(half|bi|semi|re|start|boot|every|power|mid|week)-(?=[a-z])"), r"\1"),
    (re.compile(r"\bmid (?=day\b|night\b)"), "mid"),
    (re.compile(r"\bweek (?=days?\b|ends?\b)"), "week"),
    (re.compile(r"\bevery(?=(?:day|night|morning|evening|hour|minute)\b)"), "every "),
    (re.compile(r"(?<!\.)\.\.(?!\.)"), "-"),
    (re.compile(r"\bday(?:-of-month| of (?:the )?month(?= \d))"), "date"),
    (re.compile(r"\b12 ?(?=noon\b|midnight\b)"), ""),
)


def tokenize(text: str) -> list[Token]:
    """The tokens of a text of limited length, without blanks."""
    plain = text.translate(_PLAIN).lower()
    for pattern, replacement in _SPELT:
        plain = pattern.sub(replacement, plain)
    tokens = [_token(match) for match in _TOKEN.finditer(plain.strip(" .!?")) if not match["blank"]]
    tokens = [token for at, token in enumerate(tokens) if token != tokens[at - 1] or not at]
    return [_in_context(tokens, at) for at in range(len(tokens)) if not _is_merged(tokens, at)]


def _token(match: re.Match[str]) -> Token:
    group, text = match.lastgroup or "", match[0]
    if group == "word":
        kind, value = WORDS.get(text, (Kind.UNKNOWN, text))
        return Token(kind, value, text)
    make = _MAKERS.get(group)
    if make is None:
        return Token(Kind.SIGN, _SIGNS.get(text[:1], text) if group == "sign" else "…", text)
    return make(text)


def _clock(text: str) -> Token:
    hour, minute, *second = map(int, re.split("[:.h]", text))
    if "." in text and hour > 23 and 1 <= minute <= 12:
        return Token(Kind.DATE, (hour, minute, None, True), text)
    if hour > 24 or minute > 59 or (second and second[0]):
        return Token(Kind.UNKNOWN, text, text)
    half = "24" if hour in (0, 24) or text[0] == "0" else None
    return Token(Kind.CLOCK, (hour % 24, minute, half), text)


def _date(text: str) -> Token:
    first, second, *year = [int(part) for part in re.split("[/.]", text) if part]
    return Token(Kind.DATE, (first, second, year[0] if year else None, "." in text), text)


def _iso(text: str) -> Token:
    year, month, day = map(int, text.split("-"))
    return Token(Kind.DATE, (day, month, year, True), text)


_MAKERS: dict[str, Callable[[str], Token]] = {
    "zone": lambda text: Token(Kind.ZONE, text, text),
    "iso": _iso,
    "date": _date,
    "clock": _clock,
    "minute": lambda text: Token(Kind.MINUTE, int(text[1:]), text),
    "half": lambda text: Token(Kind.NUMBER, int(text[:-2]) + 0.5, text),
    "ordinal": lambda text: Token(Kind.ORDINAL, int(text[:-2]), text),
    "number": lambda text: Token(Kind.NUMBER, int(text[:9]), text),
}
_HALVES = ("am", "pm")


def _is_merged(tokens: list[Token], at: int) -> bool:
    """Whether a token is the "am" or "pm" of the number before it."""
    return (
        tokens[at].text in _HALVES
        and at > 0
        and tokens[at - 1].kind in (Kind.NUMBER, Kind.CLOCK)
        and tokens[at - 1].value != "24"
    )


def _in_context(tokens: list[Token], at: int) -> Token:
    token = tokens[at]
    following = tokens[at + 1] if at + 1 < len(tokens) else END
    if following.text in _HALVES and token.kind in (Kind.NUMBER, Kind.CLOCK):
        return _with_half(token, following.text)
    if token.text == "second" and (
        following.kind in (Kind.WEEKDAY, Kind.WEEKDAYS, Kind.MONTH)
        or (following.kind is Kind.UNIT and following.value != "second")
        or following.value in ("of", "last", "working")
    ):
        return replace(token, kind=Kind.ORDINAL, value=2)
    return token


def _with_half(token: Token, half: str) -> Token:
    text = f"{token.text}{half}"
    hour, minute = (token.value, 0) if token.kind is Kind.NUMBER else token.value[:2]
    if hour not in range(1, 13):
        return Token(Kind.UNKNOWN, text, text)
    return Token(Kind.CLOCK, (hour, minute, half), text)
