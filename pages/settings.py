"""Settings: background work, notifications, access, backups, and the audit history."""

from pitasker_core.dashboard import (
    notification_settings,
    settings_access,
    settings_background,
    settings_backup,
    settings_changes,
)
from pitasker_core.dashboard.choice import choose

PARTS = {
    "Background": settings_background.show,
    "Notifications": notification_settings.show,
    "Access": settings_access.show,
    "Backup": settings_backup.show,
    "Changes": settings_changes.show,
}


def main() -> None:
    PARTS[choose("Part", PARTS, "settings_part", bind="query-params")]()


main()
