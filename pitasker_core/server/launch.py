"""Start and stop PiTasker: the server, the agent and the demo."""

import errno
import ipaddress
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from pitasker_core.base import terminal
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import DatabaseError, ExecutionError, InvalidSyntax, explained
from pitasker_core.base.text import Code, Text, marked
from pitasker_core.server import auth, instances, sites
from pitasker_core.server.sites import Site

PORT = 8501
ADDRESS = "127.0.0.1"

_PROJECT = Path(__file__).parent.parent.parent


def up(
    environment: Environment,
    port: int = PORT,
    host: str = ADDRESS,
    base_url: str | None = None,
    trusted_proxies: Sequence[str] = (),
) -> int:
    """Replace this process by the server of the dashboard. Returns only by an error.

    Raises InvalidSyntax for a malformed port, address or URL. Raises ExecutionError if the port is
    in use, or if there is no password for a server on the network.
    """
    base_url = base_url or environment.base_url
    refuse_open_door(environment, host)
    if base_url:
        os.environ["PITASKER_BASE_URL"] = str(sites.parse_base_url(base_url))
    command = _streamlit(port, host)
    os.environ["FORWARDED_ALLOW_IPS"] = believed_addresses(
        trusted_proxies or environment.trusted_proxies
    )
    os.chdir(_PROJECT)  # where Streamlit looks for .streamlit/config.toml
    with explained(f"{command[0]} cannot be started"):
        os.execv(command[0], command)


def believed_addresses(proxies: Sequence[str]) -> str:
    """The proxies whose X-Forwarded-For counts, in uvicorn's format; empty for none.

    Raises InvalidSyntax for a text that is neither an IP address nor a network.
    """
    addresses = []
    for text in proxies:
        try:
            network = ipaddress.ip_network(text)
        except ValueError as problem:
            raise InvalidSyntax(
                f"The proxy {text!r} is neither an IP address nor a network.",
                "Write it as 127.0.0.1 or 10.0.0.0/24.",
            ) from problem
        addresses.append(str(network))
        if network.version == 4:
            # A dual-stack socket reports IPv4 addresses as IPv6.
            addresses.append(f"::ffff:{network.network_address}/{96 + network.prefixlen}")
    return ",".join(addresses)


def list_addresses(host: str, port: int, base_url: str | None) -> list[str]:
    """The addresses of a server that listens on a host and port, best first."""
    addresses = [str(sites.parse_base_url(base_url))] if base_url else []
    if host not in ("0.0.0.0", "::"):  # noqa: S104 - the two that mean every address
        return [*addresses, str(Site("http", host, port))]
    if address := own_address():
        addresses.append(str(Site("http", address, port)))
    return [*addresses, str(Site("http", ADDRESS, port))]


def own_address() -> str | None:
    """This machine's address in its network; None without a network."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # any outside address; UDP sends nothing yet
        return str(probe.getsockname()[0])
    return None


def refuse_open_door(environment: Environment, host: str) -> None:
    """Raise ExecutionError if others can reach this address and there is no password."""
    if not sites.is_loopback(host) and not auth.has_password(environment):
        raise ExecutionError(
            f"PiTasker does not listen on {host} without a password: "
            "anyone who reaches it can run commands as you.",
            marked("Set one with `./pitasker password`, then try again."),
        )


def agent(environment: Environment) -> int:
    """Do the background work without the dashboard, until a signal stops it."""
    from pitasker_core import database
    from pitasker_core.base import log
    from pitasker_core.server import local_answers
    from pitasker_core.server.background import Background

    log.start(environment)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    started_here = False
    work = "keeps the tasks and the crontab in sync"
    try:
        started_here = database.start(environment)
    except DatabaseError:  # logged there; the background work tries again
        work = f"waits for its database, and then {work}"
    background = Background(environment)
    background.start()
    terminal.say(f"PiTasker's agent {work} (Ctrl-C ends it).")
    with instances.registered(environment, "agent"), local_answers.answering(environment):
        stopping.wait()
        background.stop()
    if started_here:
        database.stop(environment)
    return 0


def demo(environment: Environment, port: int = PORT) -> int:
    """Fill an empty private crontab with believable entries and serve the dashboard on it.

    Raises ExecutionError if the crontab is not private. The launcher makes a private one.
    """
    from pitasker_core import database
    from pitasker_core.server import demo as demo_contents

    if not environment.demo:
        raise ExecutionError(
            "The demo needs a private crontab, which the launcher makes.",
            marked("Run `./pitasker demo`."),
        )
    command = _streamlit(port, ADDRESS)
    with tempfile.TemporaryDirectory(prefix="pitasker-demo-") as home:
        scratch = replace(environment, home=Path(home), database_url=None)
        variables = {
            **os.environ,
            "PITASKER_HOME": home,
            "DATABASE_URL": "",
            "FORWARDED_ALLOW_IPS": "",
        }
        try:
            demo_contents.fill(scratch)
            with explained(f"{command[0]} cannot be started"):
                server = subprocess.Popen(command, cwd=_PROJECT, env=variables)
            # Ctrl-C also reaches the server, which then stops cleanly. Wait for it.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, lambda *_: server.terminate())
            signal.signal(signal.SIGHUP, lambda *_: server.terminate())
            ended = server.wait()
            return ended if ended >= 0 else 128 - ended  # a shell's exit code for a signal
        finally:
            database.stop(scratch)


def stop(environment: Environment) -> list[str]:
    """Stop the servers and agents of this home, then its private database. Return their names.

    Raises ExecutionError or DatabaseError if one does not stop.
    """
    from pitasker_core import database

    ended = [
        f"the agent (process {instance.pid})"
        if instance.kind == "agent"
        else f"the server of {instance.addresses[0]} (process {instance.pid})"
        for instance in instances.stop(environment)
    ]
    if database.stop(environment):
        ended.append("the private database")
    return ended


def psql_command(environment: Environment) -> tuple[list[str], dict[str, str]]:
    """Return the command of psql on the database, and the environment variables to add.

    Starts the private database if it does not run. Raises NotFound if there is no psql.
    """
    from pitasker_core import database
    from pitasker_core.database import embedded, programs

    if environment.database_url is None:
        return embedded.psql_command(embedded.ensure_running(environment.postgres)), {}
    address, variables = database.psql_address(environment.database_url)
    return [programs.find_psql(), address], variables


def _streamlit(port: int, host: str) -> list[str]:
    if not 0 <= port <= 65535:
        raise InvalidSyntax(f"There is no port {port}.", "Use one from 1024 to 65535.")
    _refuse_taken_port(port, host)
    app = str(_PROJECT / "streamlit_app.py")
    options = ["--server.port", str(port), "--server.address", host]
    options += ["--logger.hideWelcomeMessage", "true"]  # we print our own
    return [sys.executable, "-m", "streamlit", "run", app, *options]


def _refuse_taken_port(port: int, host: str) -> None:
    """Raise ExecutionError for a port that we cannot use, because Streamlit would say less."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as problem:
        raise InvalidSyntax(f"There is no address {host} on this machine: {problem}.") from problem
    other = Code(f"./pitasker up --port {PORT if port < 1024 else port + 1}")
    with socket.socket(family, kind) as attempt:
        # A port with connections in TIME_WAIT counts as free, as for Streamlit.
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(address)
        except PermissionError as problem:
            raise ExecutionError(
                f"Port {port} needs root.", Text("Use another port: ", other, ".")
            ) from problem
        except OSError as problem:
            if problem.errno != errno.EADDRINUSE:
                raise ExecutionError(
                    f"PiTasker cannot listen on {host}, port {port}: {problem.strerror}."
                ) from problem
            raise ExecutionError(
                f"Port {port} is in use, perhaps by another PiTasker: "
                f"see {Site('http', host, port)}.",
                Text("Stop that server, or use another port: ", other, "."),
            ) from problem
