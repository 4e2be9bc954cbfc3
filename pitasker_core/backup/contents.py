"""The contents of a backup. The whole file is checked before it is used.

`backup` writes format 2, a gzipped tar of these parts in this order:

    pitasker.json      the format, the time, the owner of the crontab, the version of the tables,
                       and the columns of each table
    crontab            the crontab's bytes; missing if the user had no crontab
    rows/TABLE/NUMBER  rows as text, as PostgreSQL's COPY writes them
    complete.json      the number of rows of each table

Format 1 has `database.dump`, plain SQL by `pg_dump`, instead of the rows. The SQL is never run:
only the rows in its COPY blocks are read. Nothing in a backup of either format is executed.
"""

import json
import os
import re
import stat
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

from pitasker_core import database
from pitasker_core.backup.container import UNPACKED_LIMIT, Part, TooLarge, parts
from pitasker_core.base.errors import ExecutionError, InvalidSyntax, NotFound
from pitasker_core.base.text import marked
from pitasker_core.crontab.document import decode
from pitasker_core.database.tables import Base

FORMAT = 2

_CRONTAB_LIMIT = 64 * 1024**2
_DESCRIPTION_LIMIT = 1024**2
_ROW_LIMIT = 64 * 1024**2
_SOURCES = 1000

_VERSION = "alembic_version"
_NEEDED = ("crontabs", "tasks", "sync_base", "snapshots", "sync_operations", "runs", "events")
"""The tables that every version has."""

_UNREADABLE = (
    *(tarfile.TarError, zlib.error, OSError, EOFError),
    *(LookupError, TypeError, ValueError, AttributeError, RecursionError),
)
"""The errors of reading a damaged file or a file in another format."""


@dataclass(frozen=True)
class Source:
    """The owner of a crontab in a backup, and its id there."""

    id: int
    host: str
    user: str
    machine: str | None = None

    def __str__(self) -> str:
        return f"{self.user}@{self.host}"


@dataclass(frozen=True)
class Contents:
    """The contents of a backup. `crontab` is None if the user had no crontab."""

    file: Path
    made_at: datetime
    revision: str
    """The version of the tables."""
    crontab: str | None
    sources: tuple[Source, ...]
    """The owners of the rows. A backup in format 1 may hold several crontabs."""
    rows: Mapping[str, int]
    """The number of rows of each table."""
    limit: int | None = UNPACKED_LIMIT


@dataclass(frozen=True)
class Table:
    """The rows of one table. Read `blocks` before the next table."""

    name: str
    columns: tuple[str, ...]
    blocks: Iterator[bytes]


@dataclass
class _Scan:
    """The state of reading a backup: the facts stored before and after the rows."""

    made_at: datetime | None = None
    revision: str = ""
    crontab: bytes | None = None
    sources: list[Source] = field(default_factory=list)
    counts: dict[str, int] | None = None
    """The numbers of rows that the file itself states."""

    def tables(self, stream: Iterator[Part]) -> Iterator[Table]:
        """Yield the tables of a file, from its start to its end."""
        first = next(stream, None)
        if first is None or first.name != "pitasker.json":
            raise ValueError("it does not begin with its description")
        described = json.loads(first.content(_DESCRIPTION_LIMIT))
        number = described["format"]
        self.revision = str(described.get("tables", ""))
        if number not in (1, FORMAT) or self.revision > database.newest_revision():
            raise InvalidSyntax("This backup is from a newer PiTasker.", "Upgrade PiTasker.")
        self.made_at = datetime.fromisoformat(described["madeAt"])
        if number == 1:
            yield from self._tables_of_dump(stream)
        else:
            self.sources = [
                Source(int(row["id"]), str(row["host"]), str(row["user"]), row.get("machine"))
                for row in described["crontabs"][:_SOURCES]
            ]
            yield from self._tables_of_rows(stream, described["columns"])

    def _tables_of_rows(
        self, stream: Iterator[Part], columns: Mapping[str, list[str]]
    ) -> Iterator[Table]:
        for name, group in groupby(stream, _table_of):
            if name == "crontab":
                self.crontab = next(group).content(_CRONTAB_LIMIT)
            elif name == "complete.json":
                self.counts = json.loads(next(group).content(_DESCRIPTION_LIMIT))["rows"]
            else:
                blocks = (block for part in group for block in part.blocks())
                yield Table(name, tuple(map(str, columns[name])), blocks)

    def _tables_of_dump(self, stream: Iterator[Part]) -> Iterator[Table]:
        for part in stream:
            if part.name == "crontab":
                self.crontab = part.content(_CRONTAB_LIMIT)
            elif part.name == "database.dump":
                yield from self._tables_of_sql(_lines(part.blocks()))
            else:
                raise ValueError(f"it has a part {part.name}")

    def _tables_of_sql(self, lines: Iterator[bytes]) -> Iterator[Table]:
        is_complete = False
        for line in lines:
            if copy := _COPY.fullmatch(line):
                table = _unquoted(copy["table"])
                columns = tuple(map(_unquoted, copy["columns"].split(b", ")))
                rows = _rows_of_block(lines)
                if table == _VERSION:
                    self.revision = next(rows).decode().strip()
                elif table == "crontabs":
                    yield Table(table, columns, self._noting_sources(columns, rows))
                elif table in Base.metadata.tables:
                    yield Table(table, columns, rows)
                for _ in rows:
                    pass
            elif line.startswith(_COMPLETE):
                is_complete = True
        if not is_complete:
            raise ValueError("its database is not complete")

    def _noting_sources(self, columns: tuple[str, ...], rows: Iterable[bytes]) -> Iterator[bytes]:
        self.sources = []
        for row in rows:
            values = dict(zip(columns, map(_value, row[:-1].split(b"\t")), strict=True))
            if len(self.sources) == _SOURCES:
                raise ValueError("it has too many crontabs")
            names = values["host"] or "", values["user"] or ""
            self.sources.append(Source(int(values["id"] or 0), *names, values.get("machine")))
            yield row


_COPY = re.compile(
    rb'COPY (?:[\w$]+|"[^"]+")\.(?P<table>[\w$]+|"[^"]+") \((?P<columns>[^()]+)\) FROM stdin;\n'
)
_COMPLETE = b"-- PostgreSQL database dump complete"


def read(file: Path, limit: int | None = UNPACKED_LIMIT) -> Contents:
    """Return the contents of a backup, after reading and checking the whole file.

    Raises InvalidSyntax for a file that is not a backup, is damaged, has no tables, was made by a
    newer version, or unpacks to more than `limit` bytes. Raises NotFound if there is no such file.
    """
    scan = _Scan()
    rows: dict[str, int] = {}
    with readable(file), _opened(file) as stream:
        for table in scan.tables(parts(stream, limit)):
            if table.name not in Base.metadata.tables:
                raise ValueError(f"it has a table {table.name}")
            if table.name in rows:
                raise ValueError(f"it has the table {table.name} twice")
            rows[table.name] = sum(block.count(b"\n") for block in _whole_rows(table))
        if missing := [name for name in _NEEDED if name not in rows]:
            raise ValueError(f"it has no table {missing[0]}")
        if scan.counts is not None and scan.counts != rows:
            raise ValueError("rows are missing")
        if scan.revision not in database.revisions():
            raise ValueError(f"its tables have the unknown version {scan.revision}")
        if scan.made_at is None or len(scan.sources) != rows["crontabs"]:
            raise ValueError("it does not name its owner")
        return Contents(
            file,
            scan.made_at,
            scan.revision,
            None if scan.crontab is None else decode(scan.crontab),
            tuple(scan.sources),
            rows,
            limit,
        )


@contextmanager
def tables(contents: Contents) -> Iterator[Iterator[Table]]:
    """Open a checked backup and give its tables. Read each table before the next."""
    with readable(contents.file), _opened(contents.file) as stream:
        yield _Scan().tables(parts(stream, contents.limit))


@contextmanager
def readable(file: Path) -> Iterator[None]:
    """Turn the errors of reading a backup into PiTasker's, with an explanation."""
    try:
        yield
    except FileNotFoundError:
        raise NotFound(f"There is no file {file}.") from None
    except TooLarge as problem:
        raise InvalidSyntax(
            f"{file} is larger than a backup should be: {problem}.",
            marked("If you made it and it is so large, repeat with `--large`."),
        ) from problem
    except _UNREADABLE as problem:
        if isinstance(problem, OSError) and problem.strerror:
            raise ExecutionError(f"{file} cannot be read: {problem.strerror}.") from problem
        raise InvalidSyntax(f"{file} is not a PiTasker backup: {problem}.") from problem


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    # O_NONBLOCK: opening a pipe without a writer would block for ever.
    handle = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ValueError("it is not a plain file")
        yield stream


def _table_of(part: Part) -> str:
    words = part.name.split("/")
    return words[1] if words[0] == "rows" and len(words) == 3 else part.name


def _whole_rows(table: Table) -> Iterator[bytes]:
    """Yield a table's blocks. Raises ValueError for a too long row, EOFError for a cut one."""
    last, length = b"\n", 0
    for block in table.blocks:
        end = block.rfind(b"\n")
        length = length + len(block) if end < 0 else len(block) - end
        if length > _ROW_LIMIT:
            raise ValueError(f"a row of {table.name} has more than {_ROW_LIMIT // 1024**2} MiB")
        last = block[-1:] or last
        yield block
    if last != b"\n":
        raise EOFError(f"the last row of {table.name} is cut off")


def _lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            yield line + b"\n"
        if len(rest) > _ROW_LIMIT:
            raise ValueError(f"a line has more than {_ROW_LIMIT // 1024**2} MiB")
    if rest:
        yield rest


def _rows_of_block(lines: Iterator[bytes]) -> Iterator[bytes]:
    for line in lines:
        if line == b"\\.\n":
            return
        yield line
    raise EOFError("its database ends too early")


def _unquoted(name: bytes) -> str:
    return name.decode().strip('"').replace('""', '"')


_ESCAPES = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


def _value(field: bytes) -> str | None:
    r"""Decode a field as COPY writes it (PostgreSQL's manual, COPY, "Text Format")."""
    if field == b"\\N":
        return None
    return re.sub(rb"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), field).decode()
