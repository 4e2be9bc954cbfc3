"""Answer the commands of this account, over the UNIX socket of `local_socket`."""

import json
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from pitasker_core import tasks
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.reports import status
from pitasker_core.server import local_socket
from pitasker_core.server.answers.reports import Status
from pitasker_core.server.answers.tasks import Tasks
from pitasker_core.server.answers.wire import as_json

_LONGEST_LINE = 1000
_SENDING_LIMIT = 1.0
"""Seconds to wait for the request of a command, and for its reading."""

# Computed for each command: nothing that is shown elsewhere and may be a second old.
_ANSWERS: Mapping[str, Callable[[Environment], Any]] = {
    "status": lambda environment: Status.of(status.status(environment)),
    "tasks": lambda environment: Tasks.of(tasks.listing(environment)),
    "deleted tasks": lambda environment: Tasks.of(tasks.listing(environment, deleted=True)),
}

_log = logging.getLogger(__name__)


def compute(environment: Environment, question: str) -> Any:
    """Return an answer as JSON data. Raises KeyError for an unknown question."""
    return as_json(_ANSWERS[question](environment))


@contextmanager
def answering(environment: Environment) -> Iterator[None]:
    """Answer commands during a `with` block.

    If the socket cannot be made, the commands compute their answers themselves.
    """
    file = environment.running / f"{os.getpid()}{local_socket.SUFFIX}"
    with socket.socket(socket.AF_UNIX) as listener:
        with suppress(OSError):
            os.fchmod(listener.fileno(), 0o600)  # the mode of the file that bind() makes
            file.unlink(missing_ok=True)
            with local_socket.address(file) as name:
                listener.bind(name)
            listener.listen()
            arguments = (listener, environment)
            threading.Thread(target=_serve, args=arguments, name="commands", daemon=True).start()
        try:
            yield
        finally:
            with suppress(OSError):
                file.unlink(missing_ok=True)
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # ends accept() in the thread


def _serve(listener: socket.socket, environment: Environment) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            try:
                _answer(connection, environment)
            except (PiTaskerError, OSError, ValueError):
                pass  # without an answer, the command computes it and reports the problem itself
            except Exception:
                _log.exception("A command got no answer.")


def _answer(connection: socket.socket, environment: Environment) -> None:
    connection.settimeout(_SENDING_LIMIT)
    if not local_socket.is_own(connection):
        return
    with connection.makefile("rb") as reader:
        question, context = (reader.readline(_LONGEST_LINE).decode().strip() for _ in range(2))
    if question in _ANSWERS and context == local_socket.context(environment):
        connection.sendall(json.dumps(compute(environment, question)).encode())
