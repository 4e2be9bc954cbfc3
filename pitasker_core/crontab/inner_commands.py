"""The command that a line gives to another shell, as in `bash -c '…'`. Pure."""

import re
from dataclasses import dataclass

from pitasker_core.crontab.shell import Step
from pitasker_core.crontab.shell_words import Word

READ_SHELLS = frozenset({"sh", "bash", "dash", "ash"})
"""Shells whose commands are read: others have built-in commands of their own."""


@dataclass(frozen=True, slots=True)
class InnerCommand:
    """The command that a shell gets by `-c`."""

    text: str
    start: int
    """Where it begins in the line."""
    reads_profile: bool
    """Whether the shell reads files that may set anything, such as ~/.profile."""


def inner_command(words: list[Word]) -> InnerCommand | None:
    """The command behind `-c`, if its quotes are plain: its text then stands in the line."""
    reads_profile = False
    rest = iter(enumerate(words))
    for place, word in rest:
        option = word.source
        if option in ("-o", "+o"):
            next(rest, None)
            continue
        if option == "--login" or re.fullmatch(r"-\w*[li]\w*", option):
            reads_profile = True
        if re.fullmatch(r"-\w*c", option):
            command = words[place + 1] if place + 1 < len(words) else None
            return _plainly_quoted(command, reads_profile) if command else None
        if not option.startswith("-"):
            return None
    return None


def _plainly_quoted(word: Word, reads_profile: bool) -> InnerCommand | None:
    if word.is_simple:
        return InnerCommand(word.source, word.start, reads_profile)
    inner = word.source[1:-1]
    is_quoted = len(word.source) > 2 and word.source[0] == word.source[-1] in "'\""
    if not is_quoted or word.literal != inner or word.source[0] in inner:
        return None
    return InnerCommand(inner, word.start + 1, reads_profile)


def moved(step: Step, offset: int) -> Step:
    """The step with the places of its words in the whole line."""

    def move(word: Word) -> Word:
        return word._replace(start=word.start + offset, end=word.end + offset)

    redirections = (
        each._replace(start=each.start + offset, target=each.target and move(each.target))
        for each in step.redirections
    )
    return step._replace(
        words=tuple(map(move, step.words)),
        assignments=tuple(map(move, step.assignments)),
        redirections=tuple(redirections),
    )
