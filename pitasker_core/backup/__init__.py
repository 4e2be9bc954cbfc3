"""Back up a crontab and its database rows to one file, and restore them."""

from pitasker_core.backup.container import UNPACKED_LIMIT
from pitasker_core.backup.contents import Contents, read
from pitasker_core.backup.restoring import Restored, preview, restore
from pitasker_core.backup.writing import back_up
