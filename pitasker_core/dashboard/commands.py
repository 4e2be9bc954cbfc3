"""What the search box offers: pages, tasks, unmanaged entries, runs and actions. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlencode

from pitasker_core.base.text import visible
from pitasker_core.crontab.document import suggest_names
from pitasker_core.dashboard import terminal_output
from pitasker_core.runs.output_search import Hit
from pitasker_core.sync.service import Comparison
from pitasker_core.tasks import Listing, Task

MOST = 12
"""Commands that are shown."""

LONGEST = 100
"""Characters of a query that are read."""


class Kind(StrEnum):
    """What a command leads to. The order breaks ties."""

    PAGE = "Page"
    TASK = "Task"
    ACTION = "Action"
    ENTRY = "Unmanaged entry"
    RUN = "Run"


class Act(StrEnum):
    """What a command does, apart from opening a page."""

    OPEN = "open"
    SYNC = "sync"
    RUN = "run"
    PAUSE = "pause"
    RESUME = "resume"
    WHY = "why"


@dataclass(frozen=True)
class Command:
    """A row of the search box. `page` is opened with `params`, after the act."""

    kind: Kind
    title: str
    detail: str
    page: str
    params: dict[str, str] = field(default_factory=dict)
    act: Act = Act.OPEN
    task: int = 0
    verb: str = ""
    """A command with a verb is offered only if the query names the verb."""
    keywords: str = ""

    @property
    def is_code(self) -> bool:
        """Whether the detail is code: a command, or a line of output."""
        return self.kind not in (Kind.PAGE, Kind.ACTION)

    @property
    def id(self) -> str:
        """A text that names what the command does."""
        return f"{self.act} {self.page}?{urlencode(self.params)}"


PAGES = (
    Command(Kind.PAGE, "Overview", "Health, upcoming runs, activity", "overview", keywords="home"),
    Command(Kind.PAGE, "Tasks", "Change, pause and run tasks", "tasks", keywords="jobs"),
    Command(Kind.PAGE, "Timeline", "Past and planned runs", "timeline", keywords="calendar"),
    Command(Kind.PAGE, "Runs", "Results and output", "runs", keywords="history log"),
    Command(Kind.PAGE, "Sync", "Conflicts, findings, operations", "sync", keywords="validate"),
    Command(Kind.PAGE, "Crontab", "Edit the text, snapshots", "crontab", keywords="raw editor"),
    Command(Kind.PAGE, "Import", "Manage entries of the crontab", "import_entries"),
    Command(
        Kind.PAGE,
        "Settings",
        "Notifications, access, backup",
        "settings",
        keywords="preferences password token theme restore",
    ),
)

_SYNC = Command(
    Kind.ACTION, "Sync now", "Bring tasks and crontab to the same state", "sync", act=Act.SYNC
)
_NEW = Command(Kind.ACTION, "New task", "Add a job", "tasks", {"task": "new"}, keywords="create")

_FROM_TEMPLATE = Command(
    Kind.ACTION,
    "New task from a template",
    "Backup, certificate, sensor and more",
    "tasks",
    {"task": "templates"},
    keywords="create",
)
_FROM_FILES = Command(
    Kind.ACTION,
    "Import files",
    "Tasks of PiTasker, crontab-ui and Cronmaster",
    "import_entries",
    {"import_part": "From files"},
    keywords="upload json yaml csv",
)


def list_commands(listing: Listing, *, read_only: bool) -> list[Command]:
    """Return all commands, except the runs that a search of the output adds."""
    commands = [*PAGES, *([] if read_only else [_NEW, _FROM_TEMPLATE, _FROM_FILES, _SYNC])]
    for task in listing.tasks:
        commands.append(_open_task(task))
        commands += _task_actions(task, read_only=read_only)
    if listing.comparison:
        commands += _entries(listing.comparison)
    return commands


def _entries(compared: Comparison) -> Iterator[Command]:
    document = compared.document
    names = suggest_names(document, compared.reading.unmanaged)
    for index in compared.reading.unmanaged:
        entry = document.entry(index)
        yield Command(
            Kind.ENTRY,
            visible(names[index]),
            visible(f"{entry.schedule}  {entry.command}"),
            "import_entries",
        )


def _open_task(task: Task) -> Command:
    return Command(
        Kind.TASK,
        visible(task.name),
        visible(f"{task.schedule}  {task.command}"),
        "tasks",
        {"task": str(task.id)},
        keywords=" ".join([*task.labels, "paused" if task.paused else ""]),
    )


def _task_actions(task: Task, *, read_only: bool) -> list[Command]:
    own = {"task": str(task.id)}
    name = visible(task.name)
    pause = Act.RESUME if task.paused else Act.PAUSE
    looking = [
        Command(Kind.ACTION, f"Runs of {name}", "", "runs", own, verb="runs"),
        Command(
            Kind.ACTION, f"Why didn't it run? {name}", "", "tasks", own, Act.WHY, task.id, "why"
        ),
    ]
    if read_only:
        return looking
    return [
        Command(Kind.ACTION, f"Run now: {name}", "", "tasks", own, Act.RUN, task.id, "run"),
        Command(
            Kind.ACTION, f"{pause.title()}: {name}", "", "tasks", own, pause, task.id, pause.value
        ),
        *looking,
    ]


def run_commands(hits: Iterable[Hit], when: Iterable[str]) -> list[Command]:
    """Return the commands that open runs. `when` says for each run when it started."""
    return [
        Command(
            Kind.RUN,
            visible(f"{hit.task_name} · {hit.state} · {at}"),
            visible(terminal_output.text(hit.line).strip()),
            "runs",
            {"run": str(hit.run)},
        )
        for hit, at in zip(hits, when, strict=True)
    ]


def rank_commands(
    commands: Sequence[Command], runs: Sequence[Command], query: str
) -> list[Command]:
    """Return the commands that match all words of a query, best first, and then `runs`.

    Without words: the pages and the actions without a task.
    """
    words = query[:LONGEST].casefold().split()
    if not words:
        return [command for command in commands if not command.verb and _is_general(command)][:MOST]
    scored = [
        (score, list(Kind).index(command.kind), command.title.casefold(), number)
        for number, command in enumerate(commands)
        if (score := _score(command, words)) is not None
    ]
    best = [commands[number] for *_, number in sorted(scored)]
    # Runs match by their output. They keep some room below many other matches.
    room = MOST - min(len(runs), MOST // 3)
    return [*best[:room], *runs][:MOST]


def _is_general(command: Command) -> bool:
    return command.kind is Kind.PAGE or (command.kind is Kind.ACTION and not command.task)


def _score(command: Command, words: Sequence[str]) -> int | None:
    """Return how badly a command matches: 0 is best. None if a word is missing."""
    if command.verb and not any(command.verb.startswith(word) for word in words if len(word) > 1):
        return None
    title = command.title.casefold()
    rest = f"{command.detail} {command.keywords}".casefold()
    total = 0
    for word in words:
        if title.startswith(word):
            continue
        if f" {word}" in title:
            total += 1
        elif word in title:
            total += 2
        elif word in rest:
            total += 4
        else:
            return None
    return total
