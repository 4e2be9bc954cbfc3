"""Everything of a crontab in one file: its text and its rows, and back."""

from pitasker_core.backup.container import UNPACKED_LIMIT
from pitasker_core.backup.contents import Contents, read
from pitasker_core.backup.restoring import Restored, preview, restore
from pitasker_core.backup.writing import back_up

__all__ = ["UNPACKED_LIMIT", "Contents", "Restored", "back_up", "preview", "read", "restore"]
