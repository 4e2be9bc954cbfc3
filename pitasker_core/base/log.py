"""Logging: JSON lines in rotated files, and sentences on the terminal."""

import logging
import sys
import threading
import time
from collections.abc import Callable

from concurrent_log_handler import ConcurrentRotatingFileHandler
from pythonjsonlogger.json import JsonFormatter

from pitasker_core.base.environment import Environment
from pitasker_core.base.terminal import Formatter

_BYTES, _FILES = 1_000_000, 5
"""Size of a log file, and how many older files are kept."""

_AT_MOST, _SECONDS = 20, 60.0
"""How many lines of one kind are logged in how many seconds."""


class Repeats(logging.Filter):
    """Drop repeated lines, so that nobody can fill the disk by causing errors.

    Lines are of one kind if the same statement logs them. The last line before a gap says that
    more are dropped, and the first line after it says how many.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._lock = threading.Lock()
        self._kinds: dict[tuple[str, int], tuple[float, int]] = {}
        """For each kind: when its period began, and how many lines came since."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log a record. All handlers get the same answer."""
        passes = getattr(record, "passes", None)
        if passes is None:
            passes = record.passes = self._passes(record)
        return bool(passes)

    def _passes(self, record: logging.LogRecord) -> bool:
        kind = (record.pathname, record.lineno)
        with self._lock:
            began, count = self._kinds.get(kind, (self._now(), 0))
            left_out = 0
            if self._now() - began >= _SECONDS:
                began, left_out, count = self._now(), max(0, count - _AT_MOST), 0
            count += 1
            self._kinds[kind] = (began, count)
        note = ""
        if left_out:
            note = f" ({left_out} lines of this kind were dropped before this one.)"
        elif count == _AT_MOST:
            note = f" (More lines of this kind are dropped for {_SECONDS:.0f} s after the first.)"
        if note:
            record.msg, record.args = f"{record.getMessage()}{note}", ()
        return count <= _AT_MOST


_repeats = Repeats()


def limit_repeats_of_others() -> None:
    """Limit what the libraries imported so far log, because clients can cause it."""
    for logger in list(logging.root.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger) and not logger.name.startswith("pitasker_core"):
            logger.addFilter(_repeats)


class _LogFile(ConcurrentRotatingFileHandler):
    def handleError(self, record: logging.LogRecord) -> None:
        """Leave a record out if the disk is full. Python would print a traceback for each."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)


def start(environment: Environment, *, terminal: bool = True) -> None:
    """Log to `logs/crontab-sync.log`, and failures also to `logs/crontab-error.log` and, with
    `terminal`, to stderr. A disk that cannot be written stops nothing.
    """
    logger = logging.getLogger("pitasker_core")
    if logger.handlers:
        return
    logger.setLevel(logging.INFO)
    logger.propagate = False
    if terminal:
        shown = logging.StreamHandler(sys.stderr)
        shown.setLevel(logging.WARNING)
        shown.addFilter(_repeats)
        shown.setFormatter(Formatter("%(asctime)s %(levelname)s: %(message)s"))
        logger.addHandler(shown)
    folder = environment.home / "logs"
    try:
        environment.make_home()
        folder.mkdir(mode=0o700, exist_ok=True)
        for name, level in (("sync", logging.INFO), ("error", logging.WARNING)):
            # Several processes write these files: the server and each command.
            file = _LogFile(
                folder / f"crontab-{name}.log", maxBytes=_BYTES, backupCount=_FILES, chmod=0o600
            )
            file.setLevel(level)
            file.addFilter(_repeats)
            file.setFormatter(
                JsonFormatter(
                    "{asctime}{levelname}{name}{message}",
                    style="{",
                    rename_fields={"asctime": "at", "levelname": "level", "name": "where"},
                    timestamp=False,
                )
            )
            logger.addHandler(file)
    except OSError as problem:
        logger.warning("No log is written to %s: %s", folder, problem.strerror)
