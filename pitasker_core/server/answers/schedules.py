from datetime import datetime

from pitasker_core.crontab.understanding import Understanding
from pitasker_core.server.answers.wire import answer, copy_fields


@answer
class ScheduleSuggestion:
    """A schedule that a text may mean. `commandTest`, put before the command, makes it exact."""

    schedule: str
    description: str
    meaning: str
    command_test: str


@answer
class ScheduleText:
    """What a text means as a schedule. `schedule` is null if cron cannot say it; then `reason` says
    why, and `together` the schedules that only together say it. `runs` are in cron's zone."""

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

    @classmethod
    def of(cls, meant: Understanding) -> "ScheduleText":
        suggestions = [copy_fields(ScheduleSuggestion, each) for each in meant.suggestions]
        # Written here, because a zone may be UTC now and then: its offset stays `+00:00`.
        runs = [run.isoformat() for run in meant.runs]
        return copy_fields(cls, meant, suggestions=suggestions, runs=runs)
