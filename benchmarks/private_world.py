"""The environment of benchmarks: a private crontab spool, and a server."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pitasker_core import database
from pitasker_core.base.environment import Environment
from pitasker_core.sync import importing


def isolate() -> None:
    """Restart this process in a mount namespace with a private, empty crontab spool."""
    if os.environ.get("PITASKER_BENCHMARK") == "isolated":
        return
    namespace = ["unshare", "--mount"] if os.getuid() == 0 else ["unshare", "-Urm"]
    inside = 'mount -t tmpfs -o mode=1730 none /var/spool/cron/crontabs && exec "$@"'
    python = [sys.executable, *sys.argv]
    os.environ["PITASKER_BENCHMARK"] = "isolated"
    # Else each command and server would compile all modules again.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.execvp("unshare", [*namespace, "sh", "-c", inside, "sh", *python])


@contextmanager
def with_tasks(size: int) -> Iterator[Environment]:
    """A private database, and a crontab with this number of tasks."""
    folder = tempfile.mkdtemp(prefix="pitasker-benchmark-")
    os.environ.pop("DATABASE_URL", None)
    environment = Environment.from_environment({"PITASKER_HOME": folder})
    text = "".join(f"# Job {n}\n{n % 60} 1 * * * /bin/job-{n}\n" for n in range(size))
    subprocess.run(["crontab", "-"], input=text.encode(), check=True)
    database.start(environment)
    importing.import_entries(environment, "benchmark")
    try:
        yield environment
    finally:
        database.stop(environment)
        shutil.rmtree(folder)


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process and its ended children (proc(5), stat)."""
    values = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, values[11:15])) / os.sysconf("SC_CLK_TCK")


def pss_megabytes(*roots: int) -> float:
    """Return the memory of processes and all their descendants (PSS; proc(5), smaps_rollup)."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    family = set(roots)
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    total = 0
    for pid in family:
        with suppress(OSError):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


_HEALTH = "/_stcore/health"


def start_server(environment: Environment) -> tuple[subprocess.Popen[bytes], str]:
    """Start a server as `./pitasker up` does. Returns its process and address once it is ready."""
    return start_streamlit("pitasker_core", "up", "--port", PITASKER_HOME=str(environment.home))


def time_start(environment: Environment) -> tuple[subprocess.Popen[bytes], str, list[float]]:
    """Start a server. Also returns the milliseconds until its sign-in page, and until ready.

    For a page, the server then imports what pages need, which takes memory.
    """
    start = time.perf_counter()
    words = ("pitasker_core", "up", "--port")
    server, address = _launch(*words, PITASKER_HOME=str(environment.home))
    times = []
    for path in ("/login", _HEALTH):
        _until_answers(server, address + path)
        times.append(1000 * (time.perf_counter() - start))
    return server, address, times


def start_streamlit(*words: str, **variables: str) -> tuple[subprocess.Popen[bytes], str]:
    """Start a module that serves with Streamlit. Returns its process and address.

    The last word is the option that takes the port.
    """
    server, address = _launch(*words, **variables)
    _until_answers(server, address + _HEALTH)
    return server, address


def _launch(*words: str, **variables: str) -> tuple[subprocess.Popen[bytes], str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", *words, str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **variables},
    )
    return server, f"http://127.0.0.1:{port}"


def _until_answers(server: subprocess.Popen[bytes], address: str) -> None:
    for _ in range(6000):  # a busy machine needs a minute
        with suppress(OSError), urllib.request.urlopen(address):  # noqa: S310
            return
        if server.poll() is not None:
            break
        time.sleep(0.01)
    raise SystemExit("The server did not start.")
