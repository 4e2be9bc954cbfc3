"""Everything of a crontab in one file: its text and its rows, and back."""

from pitasker_core.archive.backup import back_up
from pitasker_core.archive.container import UNPACKED_LIMIT
from pitasker_core.archive.contents import Contents, read
from pitasker_core.archive.restoring import Restored, preview, restore

__all__ = ["UNPACKED_LIMIT", "Contents", "Restored", "back_up", "preview", "read", "restore"]
