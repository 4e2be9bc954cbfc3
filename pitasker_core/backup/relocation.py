"""A crontab that comes to another user, home or machine: what it must name, and what it misses."""

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


def chosen(sources: Sequence[Source], us: Source, named: str | None) -> Source | None:
    """Whose rows of a backup are to be this crontab's. None where it has nobody's.

    `named` is a person's word for it. Raises InvalidSyntax when a person must say it, NotFound when
    the backup has no crontab of that name.
    """
    if named is not None:
        for source in sources:
            if str(source) == named:
                return source
        raise NotFound(
            f"This backup has no crontab of {named}.", f"It has those of {_names(sources)}."
        )
    own = [source for source in sources if _is_ours(source, us)]
    if own or not sources:
        return own[0] if own else None
    example = sources[0] if len(sources) == 1 else "USER@HOST"
    raise InvalidSyntax(
        f"This backup is of {_names(sources)}, and this crontab is {us}.",
        Text(
            "If its tasks, runs and entries are to be those of this crontab: the same with ",
            Code(f"--from {example}"),
            ". Nothing was changed.",
        ),
    )


def is_at_home(source: Source | None, us: Source) -> bool:
    """Whether a backup is of this user on this very machine."""
    if source is None or source.user != us.user:
        return False
    if source.machine and us.machine:
        return source.machine == us.machine
    return source.host == us.host


def _is_ours(source: Source, us: Source) -> bool:
    """Whether nobody needs to be asked: also a machine made anew keeps its name."""
    same_host = source.host == us.host or (source.machine and source.machine == us.machine)
    return source.user == us.user and bool(same_host)


def _names(sources: Sequence[Source]) -> str:
    return ", ".join(map(str, sources[:_SHOWN]))


def rehomed(
    document: Document, recorder: str, tasks: Mapping[UUID, int]
) -> tuple[Document, list[str]]:
    """The crontab with this home's recorder in the recorded entries of these tasks.

    An entry that cannot name it is no longer recorded; one of no task keeps its recorder. The texts
    say so, of the latter where its recorder is not on this machine.
    """
    draft, said = Draft(document), []
    for index, entry in document.entries():
        if entry.recorder is None:
            continue
        if entry.tag is None or entry.tag not in tasks:
            if shutil.which(entry.recorder.path) is None:
                said.append(
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
            said.append(f"Line {index + 1} is not recorded any more. {problem.user_message}")
    return draft.done(), said


def differences(document: Document) -> list[str]:
    """What the entries of a crontab name and this machine lacks, in sentences, a few at most."""
    said = list(dict.fromkeys(_differences(document)))
    more = len(said) - _SHOWN
    return said if more <= 0 else [*said[:_SHOWN], f"And {more} more."]


def _differences(document: Document) -> Iterator[str]:
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
        # A file that the command is to write need not be there.
        named = {file.path for file in subject.calls.outputs}
        named |= {call.path or "" for call in subject.calls.calls}
        for path in subject.absolute_paths:
            if path not in named and not paths.exists(path):
                yield f"{here} there is no {path} on this machine."
        for user in _USERS.findall(subject.proper):
            if not identity.has_account(user):
                yield f"{here} there is no user {user} on this machine."


_USERS = re.compile(r"\b(?:sudo|runuser)\s(?:-\S+\s+)*?(?:-u|--user)[ =]?\s*([a-z_][\w.-]*)")


def _missing_for(name: str, value: str) -> str | None:
    if name in ("SHELL", "HOME") and value.startswith("/") and not paths.exists(value):
        return f"there is no {value} on this machine, which {name} names."
    if (
        name == "MAILTO"
        and re.fullmatch(r"[a-z_][\w-]*", value)
        and not identity.has_account(value)
    ):
        return f"there is no user {value} on this machine, to whom mail goes."
    return None
