"""The JSON shape of what a text means as a schedule."""

from pitasker_core.crontab.understanding import Suggestion, Understanding
from pitasker_core.server.answers.wire import Shape


def understanding(answer: Understanding) -> Shape:
    """What a text means. `runs` are in the zone by which cron reads it."""
    return {
        "text": answer.text,
        "schedule": answer.schedule,
        "isSchedule": answer.is_schedule,
        "description": answer.description,
        "runs": [run.isoformat() for run in answer.runs],
        "warnings": list(answer.warnings),
        "notes": list(answer.notes),
        "reason": answer.reason,
        "usualWay": answer.usual_way,
        "suggestions": [_suggestion(suggestion) for suggestion in answer.suggestions],
        "together": list(answer.together),
    }


def _suggestion(suggestion: Suggestion) -> Shape:
    return {
        "schedule": suggestion.schedule,
        "description": suggestion.description,
        "meaning": suggestion.meaning,
        "commandTest": suggestion.command_test,
    }
