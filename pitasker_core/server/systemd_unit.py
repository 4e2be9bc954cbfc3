"""PiTasker as a service of the user's own systemd: started at boot, started again when it dies."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pitasker_core.base import paths
from pitasker_core.base.errors import ExecutionError, NotFound, explained
from pitasker_core.base.identity import user_name
from pitasker_core.base.text import Code, Text, marked

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
# Runs started by hand go on when PiTasker stops or when one of them uses up the memory.
KillMode=process
OOMPolicy=continue
# PiTasker's files are for their owner only, and no memory dump is written to disk.
UMask=0077
LimitCORE=0
# Cron's jobs come first, and a bug in PiTasker cannot use up the machine's memory.
Nice=5
MemoryHigh=400M
MemoryMax=700M
# NoNewPrivileges, and options that imply it (system call filters, private folders and users),
# cannot be set: they take the group from `crontab`, which then cannot write the crontab.

[Install]
WantedBy=default.target
"""


@dataclass(frozen=True)
class ServiceState:
    """The state of the service. `lingers`: it also runs while its user is not logged in."""

    installed: bool
    active: bool
    enabled: bool
    lingers: bool


def file(home: Path | None = None) -> Path:
    """The path of the unit file."""
    config = os.environ.get("XDG_CONFIG_HOME")
    folder = Path(config) if config and home is None else (home or paths.home()) / ".config"
    return folder / "systemd" / "user" / NAME


def text(arguments: list[str]) -> str:
    """The text of a unit that runs `./pitasker up` with these arguments."""
    words = [str(_PROJECT / "pitasker"), "up", *arguments]
    command = " ".join(_quoted(word) for word in words)
    return _UNIT.format(project=str(_PROJECT).replace("%", "%%"), command=command)


def install(arguments: list[str]) -> ServiceState:
    """Write, enable and start the unit. Raises ExecutionError with systemd's message."""
    _need_systemd()
    unit = file()
    with explained(f"{unit} cannot be written"):
        unit.parent.mkdir(parents=True, exist_ok=True)
        unit.write_text(text(arguments))
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
    with explained(f"{file()} cannot be removed"):
        file().unlink(missing_ok=True)
    _systemctl("daemon-reload")


def state() -> ServiceState:
    """The state of the service."""
    _need_systemd()
    return ServiceState(
        installed=paths.exists(file()),
        active=_ask("is-active", NAME) == "active",
        enabled=_ask("is-enabled", NAME) == "enabled",
        lingers=paths.exists(Path("/var/lib/systemd/linger", user_name())),
    )


def _need_systemd() -> None:
    if not shutil.which("systemctl") or not paths.exists("/run/systemd/system"):
        raise NotFound(
            "This machine does not use systemd.",
            marked(
                "Start `./pitasker up` by its own init system, or by cron: "
                "`@reboot /path/to/pitasker up`."
            ),
        )


def _systemctl(*words: str) -> None:
    done = _run(words)
    if done.returncode:
        raise ExecutionError(
            Text(Code(f"systemctl --user {' '.join(words)}"), f" failed: {done.stderr.strip()}"),
            marked("Log in as this user directly, not by `su` or `sudo`, then try again."),
        )


def _ask(*words: str) -> str:
    return _run(words).stdout.strip()


def _run(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    with explained("systemctl cannot be started"):
        return subprocess.run(
            ["systemctl", "--user", *words],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )


def _quoted(word: str) -> str:
    """A quoted word of ExecStart, with specifiers and variables escaped (systemd.service(5))."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if escaped != word or " " in word or not word else word
