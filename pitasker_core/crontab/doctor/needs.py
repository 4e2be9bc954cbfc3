"""What must be looked up on the machine before a crontab can be examined. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from pitasker_core.crontab.doctor.examination import subjects
from pitasker_core.crontab.doctor.facts import MachineFacts
from pitasker_core.crontab.doctor.subject import Subject
from pitasker_core.crontab.document import Document, EnvironmentLine
from pitasker_core.crontab.execution import DEFAULT_PATH, DEFAULT_SHELL

_PATHS = 20
LIMIT = 4000
"""Paths, and names of programs, that are looked up for one crontab."""


@dataclass(frozen=True, slots=True)
class Needs:
    """Paths to look at, names to find on a PATH, and programs that are a SHELL."""

    paths: tuple[str, ...]
    programs: tuple[tuple[str, str], ...]
    shells: tuple[str, ...]
    searches: tuple[str, ...]
    """Every PATH that is searched."""


def list_needs(document: Document, user: str, home: str) -> Needs:
    """What to look up for the crontab of a user with this home."""
    facts = MachineFacts(user=user, home=home)
    paths = dict.fromkeys(filter(None, (DEFAULT_SHELL, home)))
    programs: dict[tuple[str, str], None] = {}
    shells: dict[str, None] = {DEFAULT_SHELL: None}
    searches = [DEFAULT_PATH]
    for line in document.lines:
        if isinstance(line, EnvironmentLine) and line.value.startswith("/"):
            if line.name in ("SHELL", "HOME"):
                paths[line.value] = None
            if line.name == "SHELL":
                shells[line.value] = None
            if line.name == "PATH":
                searches.append(line.value)
    for _, subject in subjects(document, facts):
        paths.update(dict.fromkeys(_paths(subject)))
        for call in subject.calls.calls:
            if "/" not in call.name and call.search is not None:
                programs[call.name, call.search] = None
    return Needs(
        tuple(path for path in list(paths)[:LIMIT] if "\0" not in path),
        tuple(pair for pair in list(programs)[:LIMIT] if "\0" not in pair[0] + pair[1]),
        tuple(shells),
        tuple(dict.fromkeys(search for search in searches if "\0" not in search))[:_PATHS],
    )


def _paths(subject: Subject) -> Iterable[str]:
    calls = subject.calls
    for call in calls.calls:
        if path := call.path:
            yield path
    for named in (*calls.folders, *calls.scripts):
        yield named.path
    for named in calls.outputs:
        yield named.path
        yield named.path.rpartition("/")[0] or "/"
