"""PiTasker as a service of the user's own systemd: started at boot, started again when it dies."""

import getpass
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pitasker_core.base import paths
from pitasker_core.base.errors import ExecutionError, NotFound
from pitasker_core.base.text import Code, Text

NAME = "pitasker.service"
_PROJECT = Path(__file__).parent.parent.parent

_UNIT = """\
[Unit]
Description=PiTasker, the front end to the crontab of %u
Documentation=file://{project}/README.md
After=network.target

[Service]
Type=exec
WorkingDirectory={project}
ExecStart={command}
Restart=on-failure
RestartSec=5
TimeoutStopSec=30
# What was run by hand goes on when PiTasker ends, and what it does to itself is not ours.
KillMode=process
OOMPolicy=continue
# Files that PiTasker makes are for their owner alone, and no memory of it is written to disk.
UMask=0077
LimitCORE=0
# It gives way to the jobs that cron starts, and a mistake of ours cannot take the machine's memory.
Nice=5
MemoryHigh=400M
MemoryMax=700M
# More would break it: NoNewPrivileges, and whatever implies it (system call filters, private
# folders and users), take the group from `crontab` without which it cannot write the crontab.

[Install]
WantedBy=default.target
"""


@dataclass(frozen=True)
class ServiceState:
    """How the service stands. `lingers`: it runs also while its user is not logged in."""

    installed: bool
    active: bool
    enabled: bool
    lingers: bool


def file(home: Path | None = None) -> Path:
    """Where the unit lies."""
    config = os.environ.get("XDG_CONFIG_HOME")
    folder = Path(config) if config and home is None else (home or paths.home()) / ".config"
    return folder / "systemd" / "user" / NAME


def text(arguments: list[str]) -> str:
    """The unit that runs `./pitasker up` with these arguments."""
    words = [str(_PROJECT / "pitasker"), "up", *arguments]
    command = " ".join(_quoted(word) for word in words)
    return _UNIT.format(project=str(_PROJECT).replace("%", "%%"), command=command)


def install(arguments: list[str]) -> ServiceState:
    """Write the unit, enable and start it. Raises ExecutionError with systemd's own words."""
    _need_systemd()
    unit = file()
    try:
        unit.parent.mkdir(parents=True, exist_ok=True)
        unit.write_text(text(arguments))
    except OSError as problem:
        raise ExecutionError(f"{unit} cannot be written: {problem.strerror}.") from problem
    _systemctl("daemon-reload")
    _systemctl("enable", NAME)
    _systemctl("restart", NAME)
    return state()


def uninstall() -> None:
    """Stop and remove the service. Tasks, crontab and history stay."""
    _need_systemd()
    if not paths.exists(file()):
        raise NotFound("There is no service to remove.")
    _systemctl("disable", "--now", NAME)
    try:
        file().unlink(missing_ok=True)
    except OSError as problem:
        raise ExecutionError(f"{file()} cannot be removed: {problem.strerror}.") from problem
    _systemctl("daemon-reload")


def state() -> ServiceState:
    """How the service stands."""
    _need_systemd()
    return ServiceState(
        installed=paths.exists(file()),
        active=_ask("is-active", NAME) == "active",
        enabled=_ask("is-enabled", NAME) == "enabled",
        lingers=paths.exists(Path("/var/lib/systemd/linger", getpass.getuser())),
    )


def _need_systemd() -> None:
    if not shutil.which("systemctl") or not paths.exists("/run/systemd/system"):
        raise NotFound(
            "This machine is not run by systemd.",
            Text(
                "Let its own init start ",
                Code("./pitasker up"),
                ", or cron: ",
                Code("@reboot /path/to/pitasker up"),
                ".",
            ),
        )


def _systemctl(*words: str) -> None:
    done = _run(words)
    if done.returncode:
        raise ExecutionError(
            Text(Code(f"systemctl --user {' '.join(words)}"), f" failed: {done.stderr.strip()}"),
            Text(
                "Log in as this user itself, not by ",
                Code("su"),
                " or ",
                Code("sudo"),
                ", then try again.",
            ),
        )


def _ask(*words: str) -> str:
    return _run(words).stdout.strip()


def _run(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["systemctl", "--user", *words],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as problem:
        raise ExecutionError(f"systemctl cannot be started: {problem.strerror}.") from problem


def _quoted(word: str) -> str:
    """A word of ExecStart (systemd.service(5)): specifiers and variables doubled, quoted."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if escaped != word or " " in word or not word else word
