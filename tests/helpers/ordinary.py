"""Start programs as an ordinary user."""

import os
import pwd
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]

_ENTER = """\
set -e
stage=$(mktemp -d)
while [ "$1" != -- ]; do
    mkdir "$stage/$#"; mount --bind "$2" "$stage/$#"
    mount -t tmpfs -o mode=755 none "$1"
    mkdir -p "$2"; mount --bind "$stage/$#" "$2"
    shift 2
done
shift
exec "$@"
"""
"""For each pair of a closed folder and a folder in it: open only the path to the inner folder."""


def find(name: str) -> pwd.struct_passwd:
    """Return a user by name. Skips the test if there is no such user."""
    user = pwd.getpwnam(name)
    # Without root, the tests run in their own user namespace, which has no other user.
    maps = [map(int, line.split()) for line in Path("/proc/self/uid_map").read_text().splitlines()]
    is_there = any(first <= user.pw_uid < first + count for first, _, count in maps)
    if os.getuid() or not is_there:
        pytest.skip("only root can become an ordinary user")
    return user


def command(user: pwd.struct_passwd, *words: str | Path) -> list[str | Path]:
    """Return a command that runs as a user who can read the project and its Python.

    If they are in root's home, the command mounts another home in its own mount namespace.
    """
    ids = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return [
        *("unshare", "--mount", "sh", "-c", _ENTER, "sh"),
        *(folder for pair in _closed() for folder in pair),
        *("--", "setpriv", *ids, *words),
    ]


def environment(user_home: Path, **more: str) -> dict[str, str]:
    """Return the environment of a user who has just logged in."""
    return {"HOME": str(user_home), "PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT), **more}


def _closed() -> Iterator[tuple[Path, Path]]:
    for needed in {Path(sys.base_prefix), Path(sys.prefix).resolve(), PROJECT}:
        for folder in reversed(needed.parents):
            if not folder.stat().st_mode & 0o001:
                yield folder, needed
                break
