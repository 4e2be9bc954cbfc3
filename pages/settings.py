"""Settings: background work, notifications, access, backups, and the audit history."""

import streamlit as st

from pitasker_core.dashboard import (
    notification_settings,
    settings_access,
    settings_background,
    settings_backup,
    settings_changes,
)

PARTS = {
    "Background": settings_background.show,
    "Notifications": notification_settings.show,
    "Access": settings_access.show,
    "Backup": settings_backup.show,
    "Changes": settings_changes.show,
}


def main() -> None:
    """Draw the page."""
    part = st.segmented_control(
        "Part",
        list(PARTS),
        default="Background",
        required=True,
        key="settings_part",
        bind="query-params",
        label_visibility="collapsed",
    )
    PARTS[part]()


main()
