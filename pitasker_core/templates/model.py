from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What the value of a parameter is."""

    PATH = "path"
    """An absolute path, or one that begins with `~/`: the home folder."""
    TIME = "time"
    """A time of day, `HH:MM`. In a schedule it is the minute and the hour."""
    NUMBER = "number"
    TEXT = "text"
    CHOICE = "choice"
    """The name of an option; the text of the option is put in as it is."""


class Form(StrEnum):
    """Which characters a text may have."""

    LINE = "line"
    """Any text in one line that does not begin with a dash."""
    WORD = "word"
    """Letters, digits, `.`, `_` and `-`."""
    HOST = "host"
    URL = "url"
    """An address that begins with http:// or https://."""


class Check(StrEnum):
    """What should be there when a template is used. If it is missing, there is a warning; the
    template can still be used."""

    NOTHING = "nothing"
    FOLDER = "folder"
    FILE = "file"


class Guard(StrEnum):
    """A condition that is checked before the command runs."""

    MOUNTED = "mounted"
    """`mountpoint -q`: a disk that is not there is not written to."""
    ONLINE = "online"
    """`getent hosts`: a host's name can be looked up."""
    LOCK = "lock"
    """`flock -n` on a file or a folder: nothing else holds this lock."""


@dataclass(frozen=True)
class Parameter:
    """One value that a person chooses."""

    name: str
    kind: Kind
    label: str
    default: str
    least: int = 0
    most: int = 1_000_000
    """Limits of a number."""
    longest: int = 200
    """Characters of a text or a path."""
    form: Form = Form.LINE
    check: Check = Check.NOTHING
    options: Mapping[str, str] = field(default_factory=dict)


OPTIONS = ("notes", "labels", "record_runs", "timeout_seconds", "no_overlap", "catch_up", "notify")
"""The fields that a template and its tasks share as they are."""


@dataclass(frozen=True)
class Template:
    """A task with parameters. `schedule`, `command` and the others hold `{{name}}` for them."""

    name: str
    title: str
    summary: str
    schedule: str
    command: str
    """As in a crontab: `\\%` for a percent sign."""
    category: str = "other"
    needs: tuple[str, ...] = ()
    """Programs."""
    parameters: tuple[Parameter, ...] = ()
    guards: tuple[tuple[Guard, str], ...] = ()
    task_name: str = ""
    """The name of the task; the title where it is empty."""
    notes: str = ""
    labels: tuple[str, ...] = ()
    record_runs: bool = True
    timeout_seconds: int | None = None
    no_overlap: bool = False
    catch_up: bool = False
    notify: tuple[str, ...] | None = None
