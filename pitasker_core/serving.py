"""Serve the dashboard: on the real crontab, or on one made to be played with."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from pitasker_core.errors import ExecutionError, NotFound
from pitasker_core.settings import Settings

PORT = 8501
ADDRESS = "127.0.0.1"

_PROJECT = Path(__file__).parent.parent


def up(settings: Settings, port: int = PORT) -> int:
    """Become the server of the dashboard; comes back only with an error.

    Raises ExecutionError when the port is taken.
    """
    command = _streamlit(port)
    _announce(settings, port)
    os.chdir(_PROJECT)  # where Streamlit looks for .streamlit/config.toml
    os.execv(command[0], command)


def demo(settings: Settings, port: int = PORT) -> int:
    """Fill an empty private crontab with believable entries and serve the dashboard on it.

    Raises ExecutionError when the crontab at hand is not a private one: the launcher makes that.
    """
    from pitasker_core import database, demonstration

    if not settings.demo:
        raise ExecutionError(
            "The demo needs a private crontab, which the launcher makes.", "Run `./pitasker demo`."
        )
    command = _streamlit(port)
    with tempfile.TemporaryDirectory(prefix="pitasker-demo-") as home:
        scratch = replace(settings, home=Path(home), database_url=None)
        environment = {**os.environ, "PITASKER_HOME": home, "DATABASE_URL": ""}
        try:
            demonstration.fill(scratch)
            _announce(scratch, port)
            server = subprocess.Popen(command, cwd=_PROJECT, env=environment)
            # Ctrl-C reaches the server by itself, and ends it in good order: wait for that.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, lambda *_: server.terminate())
            signal.signal(signal.SIGHUP, lambda *_: server.terminate())
            return server.wait()
        finally:
            database.stop(scratch)


def psql_command(settings: Settings) -> list[str]:
    """The command of an interactive shell on the database, which is started if need be."""
    from pitasker_core.database import embedded

    if settings.database_url is None:
        return embedded.psql_command(embedded.ensure_running(settings.postgres))
    if not (psql := shutil.which("psql")):
        raise NotFound(
            "There is no psql on this machine.", "`sudo apt install postgresql-client` brings it."
        )
    return [psql, settings.database_url.replace("postgresql+psycopg://", "postgresql://", 1)]


def _streamlit(port: int) -> list[str]:
    with suppress(ConnectionRefusedError, TimeoutError):
        socket.create_connection((ADDRESS, port), timeout=1).close()
        raise ExecutionError(
            f"Port {port} is in use, perhaps by a PiTasker that runs already: "
            f"look at http://{ADDRESS}:{port}.",
            f"Stop that one, or take another port: `./pitasker up --port {port + 1}`.",
        )
    app = str(_PROJECT / "streamlit_app.py")
    options = ["--server.port", str(port), "--server.address", ADDRESS]
    options += ["--logger.hideWelcomeMessage", "true"]  # ours says it
    return [sys.executable, "-m", "streamlit", "run", app, *options]


def _announce(settings: Settings, port: int) -> None:
    what = "the demo" if settings.demo else "your crontab"
    print(f"PiTasker serves {what} at http://{ADDRESS}:{port} (Ctrl-C ends it).", flush=True)
