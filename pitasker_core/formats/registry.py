from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.crontab.schedule import Dialect
from pitasker_core.formats.cronmaster import read_cronmaster
from pitasker_core.formats.crontab_file import read_crontab_tasks, write_crontab_tasks
from pitasker_core.formats.crontab_ui import read_crontab_ui
from pitasker_core.formats.csv_file import read_csv_tasks, write_csv_tasks
from pitasker_core.formats.record import Remark, TaskFile, TaskRecord, decoded
from pitasker_core.formats.task_document import (
    read_json_tasks,
    read_yaml_tasks,
    write_json_tasks,
    write_yaml_tasks,
)


class Source(StrEnum):
    """What tasks are imported from."""

    JSON = "json"
    YAML = "yaml"
    CSV = "csv"
    CRONTAB = "crontab"
    CRONTAB_UI = "crontab-ui"
    CRONMASTER = "cronmaster"


class Target(StrEnum):
    """What tasks are exported to."""

    JSON = "json"
    YAML = "yaml"
    CSV = "csv"
    CRONTAB = "crontab"
    SYSTEMD = "systemd"
    ICAL = "ical"


@dataclass(frozen=True)
class FileKind:
    """How a file of a format is named, and what it is for a browser."""

    extension: str
    media_type: str


FILE_KINDS: Mapping[Target, FileKind] = {
    Target.JSON: FileKind("json", "application/json"),
    Target.YAML: FileKind("yaml", "application/yaml"),
    Target.CSV: FileKind("csv", "text/csv; charset=utf-8"),
    Target.CRONTAB: FileKind("crontab", "text/plain; charset=utf-8"),
    Target.SYSTEMD: FileKind("zip", "application/zip"),
    Target.ICAL: FileKind("ics", "text/calendar; charset=utf-8"),
}

_READERS: Mapping[Source, Callable[[str], TaskFile]] = {
    Source.JSON: read_json_tasks,
    Source.YAML: read_yaml_tasks,
    Source.CSV: read_csv_tasks,
    Source.CRONTAB_UI: read_crontab_ui,
}
_DIALECT_READERS: Mapping[Source, Callable[[str, Dialect], TaskFile]] = {
    Source.CRONTAB: read_crontab_tasks,
    Source.CRONMASTER: read_cronmaster,
}
_WRITERS: Mapping[Target, Callable[[tuple[TaskRecord, ...]], str]] = {
    Target.JSON: write_json_tasks,
    Target.YAML: write_yaml_tasks,
    Target.CSV: write_csv_tasks,
}
_BY_EXTENSION = {
    "json": Source.JSON,
    "yaml": Source.YAML,
    "yml": Source.YAML,
    "csv": Source.CSV,
    "crontab": Source.CRONTAB,
    "cron": Source.CRONTAB,
    "db": Source.CRONTAB_UI,
    "job": Source.CRONMASTER,
}


def read_tasks(data: bytes, source: Source, dialect: Dialect = Dialect.DEBIAN) -> TaskFile:
    """The tasks of a file. Nothing in it is run. Raises ParseError, with the line."""
    text = decoded(data)
    if reader := _READERS.get(source):
        return reader(text)
    return _DIALECT_READERS[source](text, dialect)


def write_tasks(
    records: tuple[TaskRecord, ...], target: Target, dialect: Dialect = Dialect.DEBIAN
) -> tuple[str, tuple[Remark, ...]]:
    """Tasks as a text that `read_tasks` reads back, and what is left out."""
    if target is Target.CRONTAB:
        return write_crontab_tasks(records, dialect)
    return _WRITERS[target](records), ()


def source_of(file_name: str) -> Source:
    """The format of a file by its name. Raises InvalidSyntax where that says nothing."""
    extension = file_name.rsplit(".", 1)[-1].lower() if "." in file_name else ""
    source = _BY_EXTENSION.get(extension)
    if source is None:
        raise InvalidSyntax(
            "The file's name does not say what it holds.",
            f"Say it: {', '.join(Source)}.",
        )
    return source
