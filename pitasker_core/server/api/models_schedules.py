"""What the API gives about schedules."""

from datetime import datetime

from pitasker_core.server.api.requests import Model


class ScheduleSuggestion(Model):
    """A schedule that a text may mean. `commandTest`, put before the command, makes it exact."""

    schedule: str
    description: str
    meaning: str
    command_test: str


class ScheduleText(Model):
    """What a text means as a schedule. `schedule` is null if cron cannot say it; then `reason` says
    why, and `together` the schedules that only together say it."""

    text: str
    schedule: str | None
    is_schedule: bool
    description: str
    runs: list[datetime]
    warnings: list[str]
    notes: list[str]
    reason: str
    usual_way: str
    suggestions: list[ScheduleSuggestion]
    together: list[str]
