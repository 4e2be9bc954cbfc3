"""A cron log written by tests."""

import os
from datetime import timedelta
from pathlib import Path

from pitasker_core.base import clock, identity
from pitasker_core.runs.cron_log import reader
from pitasker_core.runs.cron_log.log_source import Source

USER = identity.user_name()


class Log:
    """A syslog file, written as rsyslog does."""

    def __init__(self, file):
        self.file = file
        self.read_at = {}

    def write(self, message, at=None, pid=100, end="\n", name="CRON"):
        stamp = (at or clock.now()).isoformat()
        with self.file.open("a") as file:
            file.write(f"{stamp} pi {name}[{pid}]: {message}{end}")

    def pack(self, suffix, pack):
        """Rotate and compress the log, as logrotate does. Another `pack` makes a damaged file."""
        data, status = self.file.read_bytes(), self.file.stat()
        packed = Path(f"{self.file}.1.{suffix}")
        with pack(packed, "wb") as file:
            file.write(data)
        os.utime(packed, (status.st_atime, status.st_mtime))
        self.file.unlink()

    def read(self):
        since = clock.now() - timedelta(days=7)
        log = reader.read(Source(self.file), self.read_at, since, USER)
        self.read_at, self.holes, self.skipped = log.place, log.holes, log.skipped
        return [event.text for event in log.events]
