"""A server as its owner runs it, an ordinary user, for attacks from the network and the machine."""

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
    """A server of the user `daemon`, with its crontab. Its database is away: who may come in does
    not depend on one, and the server is up sooner."""

    address: str
    environment: Environment
    password: str
    link: str
    """The token of a link that signs in once."""
    sessions: dict[Role, dict[str, str]]
    """The cookie of somebody who is signed in, by role."""

    def visit(self, role: Role | None = None) -> httpx.Client:
        """A browser, signed in or not, that follows no redirection by itself."""
        return httpx.Client(
            base_url=self.address, cookies=self.sessions.get(role), timeout=patience()
        )

    def crontab(self) -> bytes:
        """What is installed now."""
        listing = subprocess.run(["crontab", "-u", USER, "-l"], capture_output=True, check=True)
        return listing.stdout

    def logged(self) -> str:
        """What the server logged."""
        return "".join(file.read_text() for file in self.environment.home.glob("logs/*.log"))


@pytest.fixture(scope="session")
def victim() -> Iterator[Victim]:
    user = ordinary.find(USER)
    with tempfile.TemporaryDirectory(prefix="pitasker-victim-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)  # as homes of users often are: what is in it protects itself
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
            # By the secret that is there already: nothing is written as root.
            sessions = {role: cookies(environment, address, role) for role in Role}
            yield Victim(address, environment, PASSWORD, link, sessions)
        (SPOOL / USER).unlink()
