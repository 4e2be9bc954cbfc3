"""Which files of tests run in one process, because they share a server, a browser or a victim.

A server takes three CPU seconds to start. A file that is not named here starts its own.
"""

from pathlib import PurePath

from xdist.scheduler import LoadFileScheduling

SHARES = {
    "one server": (
        "browser/test_every_page.py",
        "browser/test_keyboard.py",
        "browser/test_commands.py",
        "security/test_inert_pages.py",
        "system/test_ways_in.py",
    ),
    "another server": (
        "browser/test_dashboard.py",
        "browser/test_outside_changes.py",
        "browser/test_phone.py",
        "browser/test_tasks.py",
        "server/test_app_manifest.py",
        "server/test_compression.py",
        "server/test_gate.py",
        "server/test_instances.py",
        "security/test_bodies_and_time.py",
        "security/test_door.py",
        "security/test_home.py",
        "security/test_signing_out.py",
        "security/test_throttling.py",
    ),
}
"""Two shares, so that two processes work on them. Both are among the first to begin."""

_SHARE_OF = {f"tests/{file}": share for share, files in SHARES.items() for file in files}


class ShareScheduling(LoadFileScheduling):
    """Give a process all files of a share, or any other file."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return _SHARE_OF.get(PurePath(file).as_posix(), file)
