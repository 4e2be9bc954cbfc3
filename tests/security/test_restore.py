"""An untrusted backup runs nothing, fills nothing, and changes nothing unless it is complete."""

import gzip
import io
import json
import os
import subprocess
import tarfile
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from pitasker_core import backup, database, tasks
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import ExecutionError, InvalidSyntax, NotFound
from pitasker_core.base.identity import Identity
from pitasker_core.database import embedded
from pitasker_core.server import auth, launch, tokens
from tests.helpers.examples import ME, create

ARCHIVES = Path(__file__).parent.parent / "archives"
FORMAT_1, FORMAT_2 = ARCHIVES / "format-1.tar.gz", ARCHIVES / "format-2.tar.gz"


@pytest.fixture
def pi(environment):
    """The environment of the owner of the file, pi@raspberrypi."""
    return replace(environment, given_identity=Identity("raspberrypi", "pi"))


@pytest.fixture
def file(tmp_path):
    return tmp_path / "backup.tar.gz"


def members(file):
    with tarfile.open(file) as packed:
        return {member.name: packed.extractfile(member).read() for member in packed}


def pack(file, parts, **kinds):
    """Write an archive of parts. `kinds` gives some parts another type."""
    with tarfile.open(file, "w:gz") as packed:
        for name, data in parts.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            info.type = kinds.get(name, tarfile.REGTYPE)
            packed.addfile(info, io.BytesIO(data))


def with_dump(file, change):
    """Write the backup in format 1 with another dump."""
    parts = members(FORMAT_1)
    parts["database.dump"] = change(parts["database.dump"])
    pack(file, parts)


def with_part(file, name, change):
    """Write the backup in format 2 with another content of a part."""
    parts = members(FORMAT_2)
    name = next(part for part in parts if name in part)
    parts[name] = change(parts[name])
    pack(file, {name: data for name, data in parts.items() if data is not None})


def test_commands_in_a_dump_are_not_run(pi, crontab, file, tmp_path):
    ran = tmp_path / "ran"
    evil = (
        f"\\! touch {ran}\n"
        f"copy (select 1) to program 'touch {ran}';\n"
        f"do $$ begin execute 'copy (select 1) to program ''touch {ran}'''; end $$;\n"
        "create table more (x int);\n"
        "drop table tasks cascade;\n"
    ).encode()
    with_dump(file, lambda dump: evil + dump.replace(b"\n\n", b"\n" + evil, 1))
    backup.restore(pi, ME, backup.read(file))
    assert not ran.exists()
    assert len(tasks.listing(pi).tasks) == 4
    with database.administer(pi) as connection:
        assert connection.exec_driver_sql("select to_regclass('more')").scalar() is None


def test_a_restore_starts_no_program_but_those_of_cron(
    environment, crontab, file, tmp_path, monkeypatch
):
    home = tmp_path / "person"
    home.mkdir()
    (home / ".psqlrc").write_text(f"\\! touch {tmp_path}/ran\n")
    monkeypatch.setenv("HOME", str(home))
    started = []
    run = subprocess.Popen.__init__

    def note(self, arguments, *rest, **more):
        started.append(Path(arguments[0]).name)
        run(self, arguments, *rest, **more)

    create(environment)
    monkeypatch.setattr(subprocess.Popen, "__init__", note)
    backup.back_up(environment, file)
    backup.restore(environment, ME, backup.read(file))
    assert set(started) == {"crontab"}
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda dump: b"", "not complete"),
        (lambda dump: b"-- PostgreSQL database dump complete\n", "has no table crontabs"),
        (lambda dump: dump[: len(dump) // 2], "not complete|too early"),
        (lambda dump: dump.replace(b"COPY public.tasks ", b"COPY public.other "), "no table tasks"),
        (lambda dump: dump + dump[dump.index(b"COPY public.tasks") :], "twice"),
        (lambda dump: dump.replace(b"\n0004\n", b"\n00x4\n"), "newer|unknown version"),
    ],
)
def test_an_empty_or_cut_dump_is_refused(file, change, why):
    with_dump(file, change)
    with pytest.raises(InvalidSyntax, match=why):
        backup.read(file)


@pytest.mark.parametrize(
    ("part", "change", "why"),
    [
        ("rows/tasks", lambda data: data[:-1], "cut off"),
        ("rows/tasks", lambda data: data * 2, "rows are missing"),
        ("rows/tasks", lambda data: None, "no table tasks"),
        ("complete", lambda data: b"{}", "not a PiTasker backup"),
        (
            "pitasker.json",
            lambda data: data.replace(b'"tasks"', b'"pg_authid"'),
            "not a PiTasker backup",
        ),
        ("pitasker.json", lambda data: b"[" * 100_000, "not a PiTasker backup"),
        ("pitasker.json", lambda data: b"[]", "not a PiTasker backup"),
        ("pitasker.json", lambda data: b'{"format": 1, "madeAt": 5}', "not a PiTasker backup"),
    ],
)
def test_a_backup_that_is_not_whole_is_refused(file, part, change, why):
    with_part(file, part, change)
    with pytest.raises(InvalidSyntax, match=why):
        backup.read(file)


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("rows/tasks", lambda data: data.replace(b"\tReport\t", b"\t\\N\t")),
        ("rows/tasks", lambda data: data.replace(b"\t", b"\tx\t", 1)),
        ("rows/runs", lambda data: b"x" + data),
        ("rows/crontabs", lambda data: data.replace(b"1", b"2", 1)),
        (
            "pitasker.json",
            lambda data: data.replace(b'"actor"', b'"x\\" int); drop table tasks;--"'),
        ),
    ],
)
def test_rows_that_do_not_fit_change_nothing(pi, crontab, file, part, change):
    create(pi)
    then = crontab.read()
    with_part(file, part, change)
    with pytest.raises(InvalidSyntax, match=r"PiTasker did not write") as refused:
        backup.restore(pi, ME, backup.read(file))
    assert "Nothing was changed." in refused.value.user_message
    assert crontab.read() == then
    assert [task.name for task in tasks.listing(pi).tasks] == ["Backup"]


def test_no_token_comes_in_by_a_backup(pi, crontab, file):
    parts = members(FORMAT_2)
    described, end = json.loads(parts["pitasker.json"]), json.loads(parts.pop("complete.json"))
    described["columns"]["tokens"] = ["id", "name", "sha256", "may_write", "crontab"]
    end["rows"]["tokens"] = 1
    parts["pitasker.json"] = json.dumps(described).encode()
    parts["rows/tokens/000001"] = f"1\tx\t{auth.digest('stolen')}\tt\t1\n".encode()
    parts["complete.json"] = json.dumps(end).encode()
    pack(file, parts)
    backup.restore(pi, ME, backup.read(file))
    assert tokens.listing(pi) == []


# --- Sizes ---------------------------------------------------------------------------------------


def refused(file, limit=backup.UNPACKED_LIMIT):
    """Return why a file is refused, and the peak memory in bytes."""
    tracemalloc.start()
    with pytest.raises(InvalidSyntax) as problem:
        backup.read(file, limit)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return problem.value.user_message, peak


def test_what_unpacks_to_too_much_is_refused(file):
    with_dump(file, lambda dump: (b"-" * 1023 + b"\n") * 20_480 + dump)
    why, peak = refused(file, limit=16 * 1024**2)
    assert "--large" in why
    assert peak < 4 * 1024**2
    assert backup.read(file, limit=None).rows["tasks"] == 5


def test_zeros_behind_the_end_of_a_backup_count_too(file):
    file.write_bytes(FORMAT_1.read_bytes() + gzip.compress(bytes(20 * 1024**2)))
    why, peak = refused(file, limit=16 * 1024**2)
    assert "--large" in why
    assert peak < 8 * 1024**2


def test_a_row_may_not_have_any_length(file, monkeypatch):
    monkeypatch.setattr(backup.contents, "_ROW_LIMIT", 2 * 1024**2)
    with_part(file, "rows/tasks", lambda data: data[:-1] + b"x" * 5 * 1024**2 + b"\n")
    assert "a row of tasks" in refused(file)[0]
    with_dump(file, lambda dump: b"-" * 5 * 1024**2 + b"\n" + dump)
    assert "a line" in refused(file)[0]


def test_a_header_is_not_read_into_memory_whatever_its_size(file):
    info = tarfile.TarInfo("././@PaxHeader")
    info.type, info.size = tarfile.XHDTYPE, 1024**3
    file.write_bytes(gzip.compress(info.tobuf() + bytes(20 * 1024**2)))
    why, peak = refused(file)
    assert "1073741824 bytes" in why
    assert peak < 4 * 1024**2


# --- Files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE]
)
def test_only_plain_files_are_taken_from_a_backup(file, kind):
    parts = members(FORMAT_1)
    pack(file, parts, crontab=kind)
    with pytest.raises(InvalidSyntax, match="not a PiTasker backup"):
        backup.read(file)


NO_BACKUPS = {
    "empty": b"",
    "text": b"no archive",
    "the first bytes of gzip": b"\x1f\x8b\x08\x00",
    "an empty gzip": gzip.compress(b""),
}


@pytest.mark.parametrize("content", NO_BACKUPS.values(), ids=NO_BACKUPS)
def test_a_file_that_is_no_backup_is_refused(file, content):
    file.write_bytes(content)
    with pytest.raises(InvalidSyntax, match="not a PiTasker backup"):
        backup.read(file)


def test_a_damaged_backup_is_refused(file):
    data = bytearray(FORMAT_1.read_bytes())
    data[-200] ^= 0xFF
    file.write_bytes(data)
    with pytest.raises(InvalidSyntax, match="not a PiTasker backup"):
        backup.read(file)


def test_what_is_no_file_is_refused_without_waiting_for_it(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidSyntax, match="not a PiTasker backup"):
        backup.read(tmp_path / "pipe")
    with pytest.raises(NotFound):
        backup.read(tmp_path / "none")
    for name in (".", "x" * 300):
        with pytest.raises(ExecutionError, match="cannot be read"):
            backup.read(tmp_path / name)


def test_a_backup_is_never_written_through_a_link_that_somebody_put_there(
    environment, crontab, file, tmp_path
):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    for name in (f"{file.name}.unfinished", file.name):
        (tmp_path / name).symlink_to(victim)
    backup.back_up(environment, file)
    assert victim.read_text() == "precious"
    assert backup.read(file).rows["tasks"] == 0


@pytest.mark.parametrize("name", [".", "/dev/null", "none/file"])
def test_a_backup_cannot_take_the_place_of_what_is_no_file(environment, crontab, tmp_path, name):
    with pytest.raises((ExecutionError, InvalidSyntax)):
        backup.back_up(environment, tmp_path / name)
    assert Path("/dev/null").is_char_device()


# --- Passwords -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://pi:SECRET@db.example/pitasker?sslmode=require",
        "postgres://pi@db.example/pitasker?password=SECRET&sslmode=require",
        "postgresql+psycopg://pi:SECRET@db.example/pitasker?sslmode=require",
    ],
)
def test_no_password_is_in_the_arguments_of_a_program(tmp_path, url, monkeypatch):
    monkeypatch.setattr(embedded.shutil, "which", lambda name: f"/usr/bin/{name}")
    environment = Environment(tmp_path, url, "crontab", demo=False)
    command, variables = launch.psql_command(environment)
    assert command == ["/usr/bin/psql", "postgresql://pi@db.example/pitasker?sslmode=require"]
    assert variables == {"PGPASSWORD": "SECRET"}
