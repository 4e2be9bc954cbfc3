"""Make the fixture of a release: what its own code leaves on a machine.

    python -m tests.releases.make_fixture VERSION COMMIT

Runs the code of the commit on a private crontab, under the host name `raspberrypi`, with the
packages of this Python. Needs root, or user namespaces. Writes a folder `tests/releases/VERSION`:
`database.sql.gz` (a dump by pg_dump), `backup.tar.gz` (by the release's own command), `crontab`,
`tasks.json` (the release's own list of tasks) and `commit`. Both files of data are of one moment,
and have a change by hand that no sync has seen.
"""

import gzip
import os
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parent
HOST = "raspberrypi"
HOME = Path("/srv/pitasker")
"""The data folder of the release. The crontab names the recorder in it."""

CRONTAB = """\
# Edit this file to introduce tasks to be run by cron.
MAILTO=""
PATH=/usr/local/bin:/usr/bin:/bin

# Nightly backup
0 2 * * * /home/pi/backup.sh --all
*/5 * * * * cat >> /tmp/log%a line of input
# 30 4 * * * switched off by a person
@reboot\t/home/pi/hello.sh
15 6 * * 1-5 echo "no task of PiTasker"
"""
COMMANDS = (
    ("import", "6", "7"),
    ("add", "Report", "30 7 * * 1", "/home/pi/report.sh 'all of it'", "--label", "weekly"),
    ("add", "Later", "0 12 1 * *", "/home/pi/later.sh", "--database-only", "--notes", "Not yet"),
    ("add", "Camera ☀", "0 * * * *", "printf 'taken\\n'", "--record", "--timeout", "60"),
    ("pause", "3"),
    ("run", "5", "--wait"),
    ("add", "Removed", "@daily", "/home/pi/removed.sh"),
    ("remove", "6"),
    ("token", "new", "phone"),
    ("sync",),
)


def enter_namespace() -> None:
    """Restart this process with a private spool of crontabs and a host name of its own."""
    if os.environ.get("PITASKER_FIXTURE") == "isolated":
        return
    user = [] if os.getuid() == 0 else ["--user", "--map-root-user"]
    inside = (
        "mount -t tmpfs -o mode=1730 none /var/spool/cron/crontabs"
        f' && mount -t tmpfs none {HOME.parent} && hostname {HOST} && exec "$@"'
    )
    words = [sys.executable, "-m", "tests.releases.make_fixture", *sys.argv[1:]]
    os.environ["PITASKER_FIXTURE"] = "isolated"
    os.execvp("unshare", ["unshare", "--mount", "--uts", *user, "sh", "-c", inside, "sh", *words])


def unpack(commit: str, folder: Path) -> None:
    """Put the code of a commit into a folder. Raises CalledProcessError without that commit."""
    archive = subprocess.run(
        ["git", "archive", commit, "pitasker_core"], cwd=FOLDER.parents[1], **OUTPUT
    )
    subprocess.run(["tar", "x", "-C", folder], input=archive.stdout, check=True)


OUTPUT = {"stdout": subprocess.PIPE, "check": True}


def make(version: str, commit: str, code: Path) -> None:
    """Use the release in `code`, and keep what it leaves."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(code),
        "PYTHONPATH": str(code),
        "PITASKER_HOME": str(HOME),
        "LC_ALL": "C.UTF-8",
    }

    def run(*words: str) -> bytes:
        command = [sys.executable, "-P", "-m", "pitasker_core", *words]
        return subprocess.run(
            command, cwd=code, env=environment, stdout=subprocess.PIPE, check=False
        ).stdout

    subprocess.run(["crontab", "-"], input=CRONTAB.encode(), check=True)
    from pitasker_core.database import embedded

    server = embedded.ensure_running(HOME / "postgres")
    target = FOLDER / version
    target.mkdir(exist_ok=True)
    try:
        for words in COMMANDS:
            print("$", *words)
            print(run(*words).decode())
        text = subprocess.run(["crontab", "-l"], **OUTPUT).stdout
        text = text.replace(b"30 7 * * 1", b"45 7 * * 1").replace(
            b"0 2 * * * /home/pi/backup.sh", b"0 3 * * * /home/pi/backup.sh"
        )
        subprocess.run(["crontab", "-"], input=text, check=True)
        (target / "crontab").write_bytes(text)
        (target / "tasks.json").write_bytes(run("list", "--json"))
        (target / "backup.tar.gz").unlink(missing_ok=True)
        run("backup", str(target / "backup.tar.gz"))
        dump = subprocess.run(
            [
                *(server.bin / "pg_dump", "-h", server.sockets, "-U", "pitasker"),
                *("--no-owner", "--no-privileges", "--column-inserts", "pitasker"),
            ],
            **OUTPUT,
        ).stdout
        lines = [line for line in dump.splitlines(keepends=True) if not line.startswith(b"\\")]
        (target / "database.sql.gz").write_bytes(gzip.compress(b"".join(lines), mtime=0))
        (target / "commit").write_text(f"{commit}\n")
    finally:
        embedded.stop_in(server.data.parent)


if __name__ == "__main__":
    enter_namespace()
    version, commit = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="pitasker-release-") as name:
        unpack(commit, Path(name))
        make(version, commit, Path(name))
