"""Logs for machines and for people: JSON lines in files that rotate, sentences on a terminal."""

import logging
import sys

from concurrent_log_handler import ConcurrentRotatingFileHandler
from pythonjsonlogger.json import JsonFormatter

from pitasker_core.settings import Settings

_BYTES, _FILES = 1_000_000, 5
"""Of each log: so much, then the next file; so many are kept."""


def start(settings: Settings, *, terminal: bool = True) -> None:
    """Write what PiTasker does to `logs/crontab-sync.log`, and what fails also to
    `logs/crontab-error.log` and, if wanted, the terminal. A disk that cannot be written stops
    nothing.
    """
    logger = logging.getLogger("pitasker_core")
    if logger.handlers:
        return
    logger.setLevel(logging.INFO)
    logger.propagate = False
    if terminal:
        shown = logging.StreamHandler(sys.stderr)
        shown.setLevel(logging.WARNING)
        shown.setFormatter(logging.Formatter("%(asctime)s %(levelname)s: %(message)s"))
        logger.addHandler(shown)
    folder = settings.home / "logs"
    try:
        settings.make_home()
        folder.mkdir(mode=0o700, exist_ok=True)
        for name, level in (("sync", logging.INFO), ("error", logging.WARNING)):
            # Several processes may write these, the server and the command line for two.
            file = ConcurrentRotatingFileHandler(
                folder / f"crontab-{name}.log", maxBytes=_BYTES, backupCount=_FILES, chmod=0o600
            )
            file.setLevel(level)
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
