import os
import signal
import subprocess
import tempfile
from contextlib import suppress

from pitasker_core.base.errors import ExecutionError, explained
from pitasker_core.base.identity import account

_PATIENCE = 5.0
"""Seconds to wait for the person's login files."""
_LIMIT = 1024 * 1024
"""Bytes read of the environment."""
_MARK = b"\0PITASKER-ENVIRONMENT\0"


def read_login_environment(patience: float = _PATIENCE) -> dict[str, str]:
    """Run the person's login shell, and return the environment that it sets.

    Call this only at a person's request: login files are programs. Raises ExecutionError if the
    shell fails or takes too long.
    """
    user = account()
    shell = user.pw_shell or "/bin/sh"
    own = {
        "HOME": user.pw_dir,
        "LOGNAME": user.pw_name,
        "USER": user.pw_name,
        "SHELL": shell,
        "TERM": "dumb",
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games",
    }
    # Login files may print text. The environment begins after a mark.
    command = "printf '\\0PITASKER-ENVIRONMENT\\0'; exec env -0"
    with tempfile.TemporaryFile() as printed:
        with explained(f"{shell} cannot be started"):
            process = subprocess.Popen(
                [shell, "-l", "-c", command],
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.DEVNULL,
                env=own,
                cwd=user.pw_dir if os.access(user.pw_dir, os.X_OK) else "/",
                start_new_session=True,
            )
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            raise ExecutionError(
                f"{shell} did not end its login files within {patience:.0f} seconds."
            ) from None
        finally:
            # Also kill processes that the login files left behind.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        printed.seek(0)
        return _parsed(printed.read(_LIMIT), shell)


def _parsed(printed: bytes, shell: str) -> dict[str, str]:
    _, mark, listing = printed.partition(_MARK)
    pairs = (os.fsdecode(item).partition("=") for item in listing.split(b"\0") if b"=" in item)
    environment = {name: value for name, _, value in pairs}
    if not mark or not environment:
        raise ExecutionError(f"{shell} printed no environment.")
    return environment
