"""Fake programs that record their calls, for commands that tests really run."""

import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pitasker_core.crontab.document import split_stdin
from tests.helpers.waiting import patience

FAKES = [
    *("apt-get", "borg", "cat", "certbot", "curl", "docker", "ffmpeg", "find", "getent", "gzip"),
    *("logrotate", "mariadb-dump", "mountpoint", "mv", "nice", "pg_dump", "python3", "restic"),
    *("rpicam-still", "rsync", "sqlite3", "sudo", "systemctl", "systemd-run", "vcgencmd"),
]
REAL = ["date", "df", "env", "flock", "tail", "tr"]
"""Harmless programs that are not faked."""


@dataclass(frozen=True)
class Call:
    """A call of a program: its folder and arguments."""

    program: str
    folder: str
    arguments: tuple[str, ...]


class FakePrograms:
    """A folder of fake programs, and their recorded calls."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "programs"
        self._log = folder / "calls"
        self.home = folder / "home"
        self.folder.mkdir()
        self.home.mkdir()
        for name in FAKES:
            self.add(name)
        for name in REAL:
            (self.folder / name).symlink_to(f"/usr/bin/{name}")

    def add(self, name: str, then: str = "") -> None:
        """Make a fake program. It runs `then` after it has recorded the call."""
        file = self.folder / name
        note = f"""printf '%s\\0' "$#" {name} "$PWD" "$@" >> '{self._log}'"""
        file.write_text(f"#!/bin/sh\n{note}\n{then}\n")
        file.chmod(0o755)

    def calls(self) -> list[Call]:
        """Return the recorded calls in order."""
        if not self._log.exists():
            return []
        words = iter(self._log.read_bytes().decode().split("\0")[:-1])
        return [
            Call(next(words), next(words), tuple(next(words) for _ in range(int(count))))
            for count in words
        ]

    def run(
        self, command: str, *, halves_backslashes: bool = True
    ) -> "subprocess.CompletedProcess":
        """Run a command as Debian's cron or cronie does. Cronie keeps pairs of backslashes."""
        proper, _ = split_stdin(command)
        pattern = r"\\([%\\])" if halves_backslashes else r"\\(%)"
        return subprocess.run(
            ["/bin/sh", "-c", re.sub(pattern, r"\1", proper)],
            cwd=self.home,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=patience(),
            check=False,
        )

    def environment(self) -> Mapping[str, str]:
        """Return the environment of the commands."""
        return {"PATH": str(self.folder), "HOME": str(self.home)}

    def programs_called(self) -> Iterable[str]:
        """Return the names of the called programs."""
        return [call.program for call in self.calls()]
