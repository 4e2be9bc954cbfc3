"""Restore a crontab for another user, home or machine: adapt it, and list what is missing."""

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from pitasker_core.backup.contents import Source
from pitasker_core.base import clock, identity, paths
from pitasker_core.base.errors import InvalidSyntax, NotFound
from pitasker_core.base.text import Code, Text
from pitasker_core.crontab.doctor.examination import subjects
from pitasker_core.crontab.doctor.program_rules import not_executable, program_missing
from pitasker_core.crontab.document import Document, Entry, EnvironmentLine
from pitasker_core.crontab.draft import Draft
from pitasker_core.crontab.machine_facts import gather
from pitasker_core.crontab.recording import PLAIN, Recorder

_SHOWN = 30


def choose_source(sources: Sequence[Source], us: Source, named: str | None) -> Source | None:
    """Return the crontab of a backup to restore into ours. None if the backup has no rows.

    `named` is the person's choice, as USER@HOST. Raises InvalidSyntax if a person must choose, and
    NotFound if the backup has no crontab with this name.
    """
    if named is not None:
        for source in sources:
            if str(source) == named:
                return source
        raise NotFound(f"This backup has no crontab of {named}.", f"It has {_names(sources)}.")
    own = [source for source in sources if _is_ours(source, us)]
    if own or not sources:
        return own[0] if own else None
    example = sources[0] if len(sources) == 1 else "USER@HOST"
    raise InvalidSyntax(
        f"This backup is of {_names(sources)}, and this crontab is {us}.",
        Text(
            "To restore its tasks, runs and entries into this crontab, repeat with ",
            Code(f"--from {example}"),
            ". Nothing was changed.",
        ),
    )


def is_at_home(source: Source | None, us: Source) -> bool:
    """Whether a backup was made by this user on this machine."""
    if source is None or source.user != us.user:
        return False
    if source.machine and us.machine:
        return source.machine == us.machine
    return source.host == us.host


def _is_ours(source: Source, us: Source) -> bool:
    # A reinstalled machine has another id and usually the same name.
    same_host = source.host == us.host or (source.machine and source.machine == us.machine)
    return source.user == us.user and bool(same_host)


def _names(sources: Sequence[Source]) -> str:
    return ", ".join(map(str, sources[:_SHOWN]))


def use_recorder(
    document: Document, recorder: str, tasks: Mapping[UUID, int]
) -> tuple[Document, list[str]]:
    """Return the crontab with this home's recorder in the recorded entries of these tasks.

    An entry that cannot name it is no longer recorded. An entry without a task keeps its recorder.
    The texts report both; the latter only if its recorder is not on this machine.
    """
    draft, notes = Draft(document), []
    for index, entry in document.entries():
        if entry.recorder is None:
            continue
        if entry.tag is None or entry.tag not in tasks:
            if shutil.which(entry.recorder.path) is None:
                notes.append(
                    f"Line {index + 1}: its recorder {entry.recorder.path} cannot be started."
                )
            continue
        ours = Recorder(recorder, tasks[entry.tag])
        if entry.recorder == ours:
            continue
        try:
            draft.change(index, recorder=ours)
        except InvalidSyntax as problem:
            draft.change(index, recording=PLAIN)
            notes.append(Text(f"Line {index + 1} is no longer recorded. ", problem.user_message))
    return draft.done(), notes


def list_missing(document: Document) -> list[str]:
    """Return a sentence for each thing that entries name and this machine lacks, at most 31."""
    sentences = list(dict.fromkeys(_missing(document)))
    more = len(sentences) - _SHOWN
    return sentences if more <= 0 else [*sentences[:_SHOWN], f"And {more} more."]


def _missing(document: Document) -> Iterator[str]:
    for index, line in enumerate(document.lines):
        if isinstance(line, EnvironmentLine) and (missing := _missing_for(line.name, line.value)):
            yield f"Line {index + 1}: {missing}"
    # A paused entry may be resumed here.
    lines = (replace(x, prefix="") if isinstance(x, Entry) else x for x in document.lines)
    active = replace(document, lines=tuple(lines))
    facts = gather(active, clock.system_zone())
    for index, subject in subjects(active, facts):
        here = f"Line {index + 1}:"
        for rule in (program_missing, not_executable):
            if problem := rule.check(subject):
                yield f"{here} {problem.message}"
        # A file that the command writes need not exist. The rules check the programs.
        skipped = {file.path for file in subject.calls.outputs}
        skipped |= {call.path or "" for call in subject.calls.calls}
        for path in subject.absolute_paths:
            if path not in skipped and not paths.exists(path):
                yield f"{here} there is no {path} on this machine."
        for user in _USERS.findall(subject.proper):
            if not identity.has_account(user):
                yield f"{here} there is no user {user} on this machine."


_USERS = re.compile(r"\b(?:sudo|runuser)\s(?:-\S+\s+)*?(?:-u|--user)[ =]?\s*([a-z_][\w.-]*)")


def _missing_for(name: str, value: str) -> str | None:
    if name in ("SHELL", "HOME") and value.startswith("/") and not paths.exists(value):
        return f"{name} is {value}, which is not on this machine."
    if (
        name == "MAILTO"
        and re.fullmatch(r"[a-z_][\w-]*", value)
        and not identity.has_account(value)
    ):
        return f"{name} is {value}, and there is no user {value} on this machine."
    return None
