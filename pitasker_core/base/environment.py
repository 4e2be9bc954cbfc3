"""The environment of the process: where PiTasker keeps its data, and which programs it uses."""

import os
import shlex
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pitasker_core.base import identity, paths
from pitasker_core.base.errors import PermissionDenied
from pitasker_core.base.identity import Identity
from pitasker_core.base.text import Code, Text, marked


@dataclass(frozen=True)
class Environment:
    """Where a PiTasker process keeps its data, and which programs it uses."""

    home: Path
    """The data folder, entered by its owner only (0700)."""
    database_url: str | None
    """An SQLAlchemy or libpq URL of a PostgreSQL server; None means our own private one."""
    crontab_program: str
    """The `crontab` to run: a name on PATH or a path."""
    demo: bool
    """True if the crontab is a private one for the demo."""
    read_only: bool = False
    """True for somebody who may look and not change: neither the crontab nor the database."""
    base_url: str | None = None
    """The address that people use, when a proxy stands before PiTasker."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks of proxies that say truly for whom they ask."""
    cron_log: Path | None = None
    """The file to which syslog writes what cron says; None to look for it, or for the journal."""

    given_identity: Identity | None = None
    """Whose crontab it is, where that is not what the machine says; None to ask the machine."""

    @property
    def identity(self) -> Identity:
        """Whose crontab this is."""
        return self.given_identity or identity.current()

    @property
    def postgres(self) -> Path:
        """The folder of the private PostgreSQL."""
        return self.home / "postgres"

    @property
    def running(self) -> Path:
        """The folder of the running processes: a file and a socket for each."""
        return self.home / "running"

    @property
    def backups(self) -> Path:
        """The folder of the crontab's earlier texts, readable without a database."""
        return self.home / "backups"

    @property
    def spool(self) -> Path:
        """The folder in which recorders leave what became of runs."""
        return self.home / "spool"

    @property
    def lock(self) -> Path:
        """The file whose lock makes one writer of the crontab at a time."""
        return self.home / "lock"

    @classmethod
    def from_environment(cls, variables: Mapping[str, str] = os.environ) -> "Environment":
        """Read `PITASKER_HOME`, `DATABASE_URL`, `PITASKER_CRONTAB`, `PITASKER_DEMO`,
        `PITASKER_BASE_URL`, `PITASKER_TRUSTED_PROXIES`, `PITASKER_CRON_LOG` and
        `PITASKER_HOST`."""
        data = variables.get("XDG_DATA_HOME") or "~/.local/share"
        home = variables.get("PITASKER_HOME") or f"{data}/pitasker"
        host = variables.get("PITASKER_HOST")
        return cls(
            home=paths.expand(home, variables).absolute(),
            database_url=variables.get("DATABASE_URL") or None,
            crontab_program=variables.get("PITASKER_CRONTAB") or "crontab",
            demo=variables.get("PITASKER_DEMO") == "1",
            base_url=variables.get("PITASKER_BASE_URL") or None,
            trusted_proxies=tuple(
                variables.get("PITASKER_TRUSTED_PROXIES", "").replace(",", " ").split()
            ),
            cron_log=Path(log) if (log := variables.get("PITASKER_CRON_LOG")) else None,
            given_identity=identity.current(host) if host else None,
        )

    def check_home(self) -> None:
        """Raise PermissionDenied when somebody else may write to the data folder, or put another
        in its place: what lies there is run, and says who may sign in."""
        home = paths.resolve(self.home) or self.home
        if status := paths.status(home):
            if status.st_uid not in (os.geteuid(), 0):
                raise PermissionDenied(
                    f"PiTasker's data folder {home} belongs to another user.",
                    marked(
                        "Run PiTasker as that user, or name a folder of yours with `PITASKER_HOME`."
                    ),
                )
            if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                raise PermissionDenied(
                    f"Others may write to PiTasker's data folder {home}.",
                    Text("Run ", Code(f"chmod go-w {shlex.quote(str(home))}"), ", then try again."),
                )
        for folder in home.parents:
            status = paths.status(folder)
            mode = status.st_mode if status else 0
            if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
                raise PermissionDenied(
                    f"Everybody may put another folder in the place of PiTasker's {home}, "
                    f"because everybody may write to {folder}.",
                    Text(
                        "Run ", Code(f"chmod o-w {shlex.quote(str(folder))}"), ", then try again."
                    ),
                )

    def make_home(self) -> None:
        """Make the data folder and what lies in it, for its owner only.

        Raises OSError as `mkdir` does; the caller knows how to say it.
        """
        for folder in (self.home, self.backups):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
