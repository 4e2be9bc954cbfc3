"""The private PostgreSQL: created, reused, killed and repaired, by Debian or wheel programs."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from pitasker_core.base.errors import DatabaseError
from pitasker_core.database import embedded
from pitasker_core.database import programs as postgres
from tests.helpers.waiting import patience

PROJECT = Path(__file__).parents[2]
BOTH = ("debian", "wheel")
pytestmark = pytest.mark.slow


@pytest.fixture(params=BOTH)
def programs(request, monkeypatch):
    """The sources of PostgreSQL's programs on a machine."""
    if request.param == "wheel":
        monkeypatch.setattr(postgres, "_DEBIAN", Path("/nonexistent"))
    elif not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        pytest.skip("Debian's PostgreSQL is not installed here; the wheel's is tested")
    postgres._find_programs.cache_clear()
    yield request.param
    postgres._find_programs.cache_clear()


@pytest.fixture
def folder(tmp_path):
    """A data folder. Its server is stopped after the test."""
    home = tmp_path / "postgres"
    yield home
    end(home)


@pytest.fixture(scope="module")
def created(tmp_path_factory):
    """Folders with a new cluster, by the source of the programs that created it."""
    folders = {}

    def create(source):
        if source not in folders:
            folders[source] = tmp_path_factory.mktemp(source)
            embedded._create_cluster(folders[source])
        return folders[source]

    return create


@pytest.fixture
def made(request, created, folder):
    """A data folder with a cluster that never ran. A copy takes a third of what creating takes."""
    used = "programs" in request.fixturenames
    source = created(request.getfixturevalue("programs") if used else "usual")
    folder.mkdir(mode=0o700)
    subprocess.run(["cp", "--archive", source / "data", folder], check=True)
    return folder


def end(home):
    if embedded._pid(home / "data", ready=False):
        embedded.stop_in(home)


def ask(server, question):
    with psycopg.connect(server.url.replace("+psycopg", ""), autocommit=True) as connection:
        cursor = connection.execute(question)
        return cursor.fetchone()[0] if cursor.description else None


def kill_all(server):
    """Imitate a power cut: kill every process at once."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == server.data:
                os.kill(int(process.name), signal.SIGKILL)
        except OSError:
            continue
    while embedded._is_in_use(server.data):
        time.sleep(0.01)


def test_a_first_start_makes_a_whole_database(programs, folder):
    server = embedded.ensure_running(folder)
    assert server.started_here
    assert ask(server, "select current_database() || ':' || pg_encoding_to_char(6)")
    assert ask(server, "show data_checksums") == "on"
    assert ask(server, "show listen_addresses") == ""
    assert ask(server, "show max_connections") == "30"


def test_a_second_call_finds_the_server_that_runs(made):
    first = embedded.ensure_running(made)
    again = embedded.ensure_running(made)
    assert not again.started_here
    assert again.url == first.url


def test_only_the_owner_can_come_near_the_data(folder):
    server = embedded.ensure_running(folder)
    assert folder.stat().st_mode & 0o077 == 0
    assert server.data.stat().st_mode & 0o077 == 0


def test_stopping_ends_it_and_a_next_start_has_the_data(programs, made):
    server = embedded.ensure_running(made)
    ask(server, "create table kept as select 42 as answer")
    embedded.stop_in(server.data.parent)
    with pytest.raises(psycopg.OperationalError):
        ask(server, "select 1")
    assert ask(embedded.ensure_running(made), "select answer from kept") == 42


def test_what_was_committed_survives_a_kill_of_the_whole_cluster(programs, made):
    server = embedded.ensure_running(made)
    ask(server, "create table kept as select 42 as answer")
    kill_all(server)
    again = embedded.ensure_running(made)
    assert again.started_here
    assert ask(again, "select answer from kept") == 42


def test_a_killed_head_whose_children_still_work_is_not_joined_by_a_second(made):
    server = embedded.ensure_running(made)
    ask(server, "create table kept as select 42 as answer")
    os.kill(embedded._pid(server.data), signal.SIGKILL)
    while embedded._pid(server.data):
        time.sleep(0.001)
    assert ask(embedded.ensure_running(made), "select answer from kept") == 42


def test_a_stranger_with_the_number_of_the_dead_server_lives(programs, made):
    server = embedded.ensure_running(made)
    lines = (server.data / "postmaster.pid").read_text().splitlines()
    kill_all(server)
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        lines[0] = str(stranger.pid)
        for file in (server.data / "postmaster.pid", made / ".s.PGSQL.5432.lock"):
            file.write_text("\n".join(lines) + "\n")
        again = embedded.ensure_running(made)
        assert ask(again, "select 1") == 1
        embedded.stop_in(again.data.parent)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def _start_and_answer(folder, answers):
    answers.put(embedded.ensure_running(folder).started_here)


def test_of_six_starts_at_once_one_starts_and_five_find_it(folder):
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    starts = [context.Process(target=_start_and_answer, args=(folder, answers)) for _ in range(6)]
    for process in starts:
        process.start()
    started_here = sorted(answers.get(timeout=patience()) for _ in starts)
    for process in starts:
        process.join()
    assert started_here == [False] * 5 + [True]


def test_a_half_made_cluster_is_made_anew(folder):
    half = folder / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("15\n")
    assert ask(embedded.ensure_running(folder), "select 1") == 1
    assert not half.exists()


def test_a_folder_with_something_else_in_it_is_left_alone(folder):
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "letters.txt").write_text("mine")
    with pytest.raises(DatabaseError, match="is not empty"):
        embedded.ensure_running(folder)
    assert (folder / "data" / "letters.txt").read_text() == "mine"


def test_a_long_path_gets_a_short_socket_that_others_cannot_enter(tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    folder = tmp_path / ("deep" * 20) / ("er" * 20) / "postgres"
    try:
        server = embedded.ensure_running(folder)
        assert ask(server, "select 1") == 1
        assert len(str(server.sockets)) < 60
        assert server.sockets.stat().st_mode & 0o077 == 0
        assert embedded.ensure_running(folder).url == server.url
    finally:
        end(folder)
        server.sockets.rmdir()


def test_a_socket_folder_of_somebody_else_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = tmp_path / ("deep" * 30)
    elsewhere = embedded._socket_folder(folder)
    elsewhere.chmod(0o777)
    with pytest.raises(DatabaseError, match="belongs to somebody else"):
        embedded.ensure_running(folder)


@pytest.mark.parametrize("size", ["1m", "20m"])
def test_a_full_disk_at_the_start_is_said_and_leaves_nothing_half_made(folder, size):
    folder.mkdir(parents=True)
    options = ["-t", "tmpfs", "-o", f"size={size},mode=0700"]
    subprocess.run(["mount", *options, "none", str(folder)], check=True)
    try:
        with pytest.raises(DatabaseError) as refused:
            embedded.ensure_running(folder)
        assert "The disk is full: free some space" in refused.value.user_message
        assert not (folder / "data").exists()
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_cluster_whose_postgresql_is_gone_says_which_to_install(folder):
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(DatabaseError, match="needs PostgreSQL 9"):
        embedded.ensure_running(folder)


def test_a_machine_without_postgresql_says_what_to_install(folder, monkeypatch):
    monkeypatch.setattr(postgres, "_DEBIAN", Path("/nonexistent"))
    monkeypatch.setattr(postgres.importlib.util, "find_spec", lambda _: None)
    postgres._find_programs.cache_clear()
    with pytest.raises(DatabaseError) as refused:
        embedded.ensure_running(folder)
    postgres._find_programs.cache_clear()
    assert "sudo apt install postgresql" in refused.value.user_message


def test_the_callers_own_postgresql_settings_do_not_disturb(made, monkeypatch):
    for name, value in (("PGDATA", "/nonexistent"), ("PGPORT", "1"), ("PGUSER", "x")):
        monkeypatch.setenv(name, value)
    server = embedded.ensure_running(made)
    command = [*embedded.psql_command(server), "-Atc", "select 40 + 2"]
    assert subprocess.run(command, capture_output=True, check=True).stdout == b"42\n"


def test_a_server_that_cannot_start_says_why_and_names_its_log(made):
    server = embedded.ensure_running(made)
    embedded.stop_in(server.data.parent)
    with (server.data / "postgresql.conf").open("a") as file:
        file.write("no_such_setting = 1\n")
    with pytest.raises(DatabaseError, match=r"its log is .*contains errors"):
        embedded.ensure_running(made)


def test_it_works_for_an_ordinary_user(tmp_path):
    if os.geteuid() != 0:
        return  # then every other test here tests this case
    home = tmp_path / "ordinary"
    home.mkdir()
    os.chown(home, 65534, 65534)
    for parent in list(home.parents)[:-1]:
        if parent.stat().st_uid == 0 and parent.is_relative_to("/tmp"):
            parent.chmod(parent.stat().st_mode | 0o055)
    code = (
        "from pathlib import Path; from pitasker_core.database import embedded as e;"
        f"s = e.ensure_running(Path({str(home / 'postgres')!r}));"
        "import psycopg; c = psycopg.connect(s.url.replace('+psycopg', ''));"
        "print(c.execute('select 40 + 2').fetchone()[0]); c.close(); e.stop_in(s.data.parent)"
    )
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-c", code],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if "Permission denied" in done.stderr and sys.executable in done.stderr:
        pytest.skip("an ordinary user cannot reach this Python")
    assert done.stdout == "42\n", done.stderr


def test_root_without_namespaces_runs_it_as_another_user(tmp_path_factory, monkeypatch):
    if os.geteuid() != 0:
        pytest.skip("only root has to")
    monkeypatch.setattr(postgres, "_namespaces_work", lambda: False)
    folder = tmp_path_factory.mktemp("reachable") / "postgres"
    for parent in list(folder.parents)[:-1]:
        if parent.is_relative_to("/tmp") and parent != Path("/tmp"):
            parent.chmod(0o755)
    try:
        server = embedded.ensure_running(folder)
        assert ask(server, "select 40 + 2") == 42
        assert server.data.stat().st_uid != 0
    finally:
        end(folder)
