from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.base.text import Text

Field = Literal["name", "schedule", "command", "recording", "entry"]
"""The part of an entry that is wrong; "entry" is all of it."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """What is wrong with a part of an entry, and what to do about it (may be empty)."""

    field: Field
    message: str
    advice: str = ""


def to_error(rejections: Sequence[Rejection]) -> InvalidSyntax:
    """Return the error that says all the rejections."""
    return InvalidSyntax(
        _join([rejection.message for rejection in rejections]),
        _join([rejection.advice for rejection in rejections if rejection.advice]),
    )


def _join(sentences: Sequence[str]) -> Text:
    """Return the sentences in one text, with the code in them."""
    spaced = (part for sentence in sentences for part in (" ", sentence))
    return Text(*list(spaced)[1:])


def refuse(rejections: Sequence[Rejection]) -> None:
    """Raise InvalidSyntax when there are rejections."""
    if rejections:
        raise to_error(rejections)
