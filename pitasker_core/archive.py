"""Everything in one file: the database and the crontab, and back."""

import io
import json
import os
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pitasker_core import clock, database, paths
from pitasker_core.crontab.document import decode, encode
from pitasker_core.database.tables import Base
from pitasker_core.errors import ExecutionError, InvalidSyntax, NotFound
from pitasker_core.settings import Settings
from pitasker_core.sync import edit, install, service
from pitasker_core.text import Code, Text

_FORMAT = 1

_UNREADABLE = (tarfile.TarError, zlib.error, OSError, EOFError, LookupError, TypeError, ValueError)
"""What comes of reading a file that is something else, or damaged."""


@dataclass(frozen=True)
class Contents:
    """What an archive holds. `crontab` is None when the user had none."""

    made_at: datetime
    dump: bytes
    crontab: str | None


def back_up(settings: Settings, file: Path) -> int:
    """Write the database and the crontab to a file for its owner alone. Returns its bytes.

    The secrets by which people sign in are not in it. Raises ExecutionError, DatabaseError.
    """
    if paths.is_folder(file):
        raise InvalidSyntax(f"{file} is a folder.", "Name a file in it, such as backup.tar.gz.")
    text, _ = service.read_crontab(settings)
    made = clock.now()
    told = {"format": _FORMAT, "madeAt": made.isoformat(), "tables": database.newest_revision()}
    parts = {"pitasker.json": json.dumps(told).encode(), "database.dump": _dump(settings)}
    if text is not None:
        parts["crontab"] = encode(text)
    unfinished = Path(f"{file}.unfinished")
    try:
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as out:
            with tarfile.open(fileobj=out, mode="w:gz") as archive:
                for name, data in parts.items():
                    member = tarfile.TarInfo(name)
                    member.size, member.mode, member.mtime = len(data), 0o600, made.timestamp()
                    archive.addfile(member, io.BytesIO(data))
            out.flush()
            os.fsync(out.fileno())
        unfinished.rename(file)
        return file.stat().st_size
    except OSError as problem:
        raise ExecutionError(f"{file} cannot be written: {problem.strerror}.") from problem


def read(file: Path) -> Contents:
    """What is in an archive. Raises InvalidSyntax for a file that is none of ours."""
    try:
        with tarfile.open(file, "r:gz") as archive:
            parts = {
                member.name: found.read()
                for member in archive
                if (found := archive.extractfile(member))
            }
        told = json.loads(parts["pitasker.json"])
        if told["format"] != _FORMAT or told.get("tables", "") > database.newest_revision():
            raise InvalidSyntax("This backup was made by a newer PiTasker.", "Upgrade this one.")
        text = decode(parts["crontab"]) if "crontab" in parts else None
        return Contents(datetime.fromisoformat(told["madeAt"]), parts["database.dump"], text)
    except FileNotFoundError:
        raise NotFound(f"There is no file {file}.") from None
    except _UNREADABLE as problem:
        raise InvalidSyntax(f"{file} is no backup of PiTasker's: {problem}.") from problem


def restore(settings: Settings, actor: str, contents: Contents) -> Path:
    """Put the database and the crontab back as they were. Returns where the present state is kept.

    The database is replaced in one transaction. Tokens stay as they are: one that was revoked since
    shall not open anything again. Raises InvalidSyntax for a crontab that cron would not take, and
    ExecutionError with PostgreSQL's own words; then nothing was changed.
    """
    text = contents.crontab or ""
    edit.check(settings, text)
    kept = settings.backups / f"before-restore-{clock.now():%Y%m%dT%H%M%S}.tar.gz"
    settings.make_home()
    back_up(settings, kept)
    # Nobody shall sync the one with the other while only one of them is back.
    with install.locked(settings):
        now, _ = service.read_crontab(settings)
        _load(settings, contents.dump)
        edit.save_raw_locked(settings, text, now, actor=actor, confirmed=True, kind="restore")
    return kept


def _dump(settings: Settings) -> bytes:
    # Plain SQL with its own clean-up: any PostgreSQL of the same or a newer version reads it.
    command = ["pg_dump", "--clean", "--if-exists", "--no-owner", "--no-privileges"]
    return _run(settings, command)


def _load(settings: Settings, dump: bytes) -> None:
    ours = ", ".join(['"alembic_version"', *(f'"{name}"' for name in Base.metadata.tables)])
    database.forget(settings)  # our own connections would wait for the tables, and it for them
    with tempfile.NamedTemporaryFile(prefix="pitasker-restore-") as script:
        script.write(_BEFORE.format(ours).encode() + dump + _AFTER)
        script.flush()
        command = ["psql", "--quiet", "--single-transaction", "--set", "ON_ERROR_STOP=1"]
        _run(settings, [*command, "--file", script.name])
    database.forget(settings)


_BEFORE = """\
create temporary table kept on commit drop as
    select name, sha256, may_write, created_at, used_at from tokens;
drop table if exists {} cascade;
drop function if exists notify_pitasker cascade;
"""
"""Above a dump: tables that its version did not have yet are in the way of what it drops, and of
the migration that makes them anew."""

_AFTER = b"""
reset search_path;
do $$ begin
    if to_regclass('tokens') is not null then
        delete from tokens;
        insert into tokens (name, sha256, may_write, created_at, used_at)
            select name, sha256, may_write, created_at, used_at from pg_temp.kept;
    end if;
end $$;
"""


def _run(settings: Settings, command: Sequence[str]) -> bytes:
    program, address = database.program(settings, command[0])
    environment: dict[str, Any] = {**os.environ, "PGCONNECT_TIMEOUT": "10"}
    try:
        done = subprocess.run(
            [program, *command[1:], "--dbname", address],
            capture_output=True,
            check=False,
            env=environment,
        )
    except FileNotFoundError as problem:
        raise NotFound(
            f"There is no {command[0]} on this machine.",
            Text(Code("sudo apt install postgresql-client"), " brings it."),
        ) from problem
    except OSError as problem:
        raise ExecutionError(f"{program} cannot be started: {problem.strerror}.") from problem
    if done.returncode:
        raise ExecutionError(
            f"{command[0]} failed: {done.stderr.decode(errors='replace').strip()[:500]}",
            "Nothing was changed.",
        )
    return done.stdout
