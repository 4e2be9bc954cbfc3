"""A server run by an ordinary user, for attacks from the network and the machine."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from pitasker_core.base.environment import Environment
from pitasker_core.server import auth
from pitasker_core.server.auth import Role
from tests.helpers import ordinary
from tests.helpers.isolation import SPOOL
from tests.helpers.serving import running_servers
from tests.helpers.signing_in import cookies
from tests.helpers.waiting import patience

USER = "daemon"
PASSWORD = "correct horse battery"
NO_DATABASE = "postgresql://nobody@127.0.0.1:9/none"
CRONTAB = b"0 2 * * * /bin/true\n"


@dataclass(frozen=True)
class Victim:
    """A server of the user `daemon`, with its crontab and without a database. Signing in does
    not need a database, and the server starts faster."""

    address: str
    environment: Environment
    password: str
    link: str
    """The token of a link that signs in once."""
    sessions: dict[Role, dict[str, str]]
    """The cookie of a signed-in session, by role."""

    def visit(self, role: Role | None = None) -> httpx.Client:
        """A client, signed in or not, that follows no redirections."""
        return httpx.Client(
            base_url=self.address, cookies=self.sessions.get(role), timeout=patience()
        )

    def crontab(self) -> bytes:
        """Return the installed crontab."""
        listing = subprocess.run(["crontab", "-u", USER, "-l"], capture_output=True, check=True)
        return listing.stdout

    def logged(self) -> str:
        """Return the server's log."""
        return "".join(file.read_text() for file in self.environment.home.glob("logs/*.log"))


@pytest.fixture(scope="session")
def victim() -> Iterator[Victim]:
    user = ordinary.find(USER)
    with tempfile.TemporaryDirectory(prefix="pitasker-victim-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)  # as users' homes often are: the files in it have their own modes
        environment = Environment(folder / "home", NO_DATABASE, "crontab", demo=False)
        auth.set_password(environment, PASSWORD)
        link = auth.new_link(environment)
        subprocess.run(["crontab", "-u", USER, "-"], input=CRONTAB, check=True)
        variables = ordinary.environment(
            folder, PITASKER_HOME=str(environment.home), DATABASE_URL=NO_DATABASE
        )
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, user.pw_uid, user.pw_gid)
        with running_servers(variables, folder, ordinary.command(user)) as servers:
            address = servers.start()
            # With the existing secret, so that root writes nothing.
            sessions = {role: cookies(environment, address, role) for role in Role}
            yield Victim(address, environment, PASSWORD, link, sessions)
        (SPOOL / USER).unlink()
