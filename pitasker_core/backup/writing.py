"""Write this crontab and its rows to one file."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection, text

from pitasker_core import database
from pitasker_core.backup import rows
from pitasker_core.backup.container import Writer
from pitasker_core.backup.contents import FORMAT
from pitasker_core.base import clock, paths
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import ExecutionError, InvalidSyntax
from pitasker_core.crontab.document import encode
from pitasker_core.sync import install, service, store


def back_up(environment: Environment, file: Path) -> int:
    """Write this crontab and its rows, both of one moment, to a file. Returns its size in bytes.

    Only its owner can read the file. It does not contain the secrets for signing in. Raises
    ExecutionError, DatabaseError.
    """
    with database.session(environment) as session:
        own = store.own_crontab(session)
    with database.administer(environment) as connection:
        with install.locked(environment):
            # The first statement takes the snapshot. After that syncs may go on.
            connection.execute(text("set transaction isolation level repeatable read, read only"))
            connection.execute(text("select 1"))
            crontab, _ = service.read_crontab(environment)
        return write(connection, file, crontab, own)


def write(connection: Connection, file: Path, crontab: str | None, own: int | None) -> int:
    """Write a crontab's text and rows to a file. Returns its size in bytes.

    `own` is the crontab whose rows are written. None writes all rows, for any tables' version.
    """
    made = clock.now()
    columns = {table: rows.columns(connection, table) for table in rows.tables(connection)}
    described = {
        "format": FORMAT,
        "madeAt": made.isoformat(),
        "tables": database.revision(connection),
        "crontabs": rows.crontabs(connection, own),
        "columns": columns,
    }
    with _put_in_place(file) as out:
        writer = Writer(out, made.timestamp())
        writer.add("pitasker.json", json.dumps(described).encode())
        if crontab is not None:
            writer.add("crontab", encode(crontab))
        counts = {
            table: writer.add_rows(table, rows.read(connection, table, names, own))
            for table, names in columns.items()
        }
        writer.add("complete.json", json.dumps({"rows": counts}).encode())
        writer.close()
    return file.stat().st_size


@contextmanager
def _put_in_place(file: Path) -> Iterator[BinaryIO]:
    """Give a new file that replaces `file` when all of it is on the disk.

    Its temporary name cannot be guessed. So nobody can have put a link there, even in a folder that
    others may write to.
    """
    unfinished = None
    try:
        if paths.exists(file) and not paths.is_file(file):
            what = "a folder" if paths.is_folder(file) else "not a plain file"
            raise InvalidSyntax(f"{file} is {what}.", "Name a file, such as backup.tar.gz.")
        handle, unfinished = tempfile.mkstemp(
            prefix=f".{file.name[:100]}.", suffix=".unfinished", dir=file.parent
        )
        with os.fdopen(handle, "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        Path(unfinished).rename(file)
        unfinished = None
    except OSError as problem:
        raise ExecutionError(f"{file} cannot be written: {problem.strerror}.") from problem
    finally:
        if unfinished:
            with suppress(OSError):
                Path(unfinished).unlink()
