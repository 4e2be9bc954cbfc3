from enum import StrEnum


class Actor(StrEnum):
    """Who changed something. The values are stored in the database."""

    DASHBOARD = "dashboard"
    API = "api"
    COMMAND_LINE = "command line"
    BACKGROUND = "background"
    """The background jobs. A sync of theirs that changes nothing leaves no record."""
    CATCH_UP = "catch up"
    """The background, when it catches up a missed run."""
    DEMO = "demo"
    CRONTAB = "crontab"
    """Another program that changed the crontab."""
    CRON_LOG = "cron's log"
    """The same, if the log is a file: every user of the machine can write to it."""
