"""The values of parameters: which are valid, and how each is written into a text. Pure."""

import re

from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.crontab.document import find_control_character
from pitasker_core.templates.model import Form, Kind, Parameter
from pitasker_core.templates.quoting import cron_path, cron_word

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
_NUMBER = re.compile(r"0|[1-9]\d{0,8}", re.ASCII)
_FORMS = {
    Form.LINE: (re.compile(r"(?!-).*"), "a text that does not begin with a dash"),
    Form.WORD: (
        re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]*"),
        "letters, digits, dots, dashes and underscores",
    ),
    Form.HOST: (
        re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.:-]*[A-Za-z0-9])?"),
        "the name or the address of a host",
    ),
    Form.URL: (re.compile(r"https?://[!-~]+", re.IGNORECASE), "an http:// or https:// address"),
}


def check_value(parameter: Parameter, value: str) -> str:
    """Return the value if it is valid. Raises InvalidSyntax, which names the parameter."""
    if problem := value_problem(parameter, value):
        raise InvalidSyntax(f"{parameter.label} ({parameter.name}): {problem}.")
    return value


def command_text(parameter: Parameter, value: str) -> str:
    """Return how a value is written in a command: as one word, or as the text of an option."""
    if parameter.kind is Kind.CHOICE:
        return parameter.options[value]
    return cron_path(value) if parameter.kind is Kind.PATH else cron_word(value)


def schedule_text(parameter: Parameter, value: str) -> str:
    """Return how a value is written in a schedule."""
    if parameter.kind is Kind.TIME:
        hour, minute = value.split(":")
        return f"{int(minute)} {int(hour)}"
    return parameter.options[value] if parameter.kind is Kind.CHOICE else value


def value_problem(parameter: Parameter, value: str) -> str:
    """Return why a value is not valid; empty if it is."""
    if character := find_control_character(value, allowed=""):
        return f"it cannot contain {character}"
    if len(value) > parameter.longest:
        return f"it has at most {parameter.longest} characters"
    match parameter.kind:
        case Kind.PATH:
            is_path = value.startswith(("/", "~/")) or value == "~"
            return "" if is_path else "write the whole path, from / or ~/"
        case Kind.TIME:
            return "" if _TIME.fullmatch(value) else "write a time as HH:MM"
        case Kind.NUMBER:
            is_number = _NUMBER.fullmatch(value) is not None
            fits = is_number and parameter.least <= int(value) <= parameter.most
            return "" if fits else f"write a number from {parameter.least} to {parameter.most}"
        case Kind.CHOICE:
            options = ", ".join(parameter.options)
            return "" if value in parameter.options else f"choose one of {options}"
        case Kind.TEXT:
            pattern, words = _FORMS[parameter.form]
            return "" if value and pattern.fullmatch(value) else f"write {words}"
