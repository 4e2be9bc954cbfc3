"""What released versions left on a machine, as `tests/releases/make_fixture.py` kept it."""

import gzip
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg

from pitasker_core.base.identity import Identity
from tests.releases.make_fixture import FOLDER, HOME, HOST

OWNER = Identity(HOST, "root")


@dataclass(frozen=True)
class Release:
    """The fixture of a released version."""

    folder: Path

    def __str__(self) -> str:
        return self.folder.name

    @property
    def backup(self) -> Path:
        return self.folder / "backup.tar.gz"

    @property
    def commit(self) -> str:
        return (self.folder / "commit").read_text().strip()

    @cached_property
    def tasks(self) -> list[dict[str, Any]]:
        """Its tasks, as its own command listed them."""
        return json.loads((self.folder / "tasks.json").read_text())["tasks"]

    def crontab(self, home: Path) -> bytes:
        """Its crontab, if `home` was its data folder."""
        data = (self.folder / "crontab").read_bytes()
        return data.replace(str(HOME).encode(), str(home).encode())

    def load(self, url: str) -> None:
        """Create its tables and rows in an empty database."""
        dump = gzip.decompress((self.folder / "database.sql.gz").read_bytes())
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            connection.execute(dump)


RELEASES = [Release(folder) for folder in sorted(FOLDER.iterdir()) if (folder / "commit").exists()]
