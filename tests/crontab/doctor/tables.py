"""Read the tables of samples."""

from tests.helpers.sample_machine import examined


def reports(text: str, **facts: object) -> set[str]:
    """Return the findings of a crontab as `rule severity`."""
    return {f"{finding.rule} {finding.severity}" for finding in examined(f"{text}\n", **facts)}


def fixes(text: str, rule: str, **facts: object) -> list[tuple[str | None, str | None, str | None]]:
    """Return the schedules, commands and values that the fixes of a rule would write."""
    return [
        (f.fix.schedule, f.fix.command, f.fix.value)
        for f in examined(f"{text}\n", **facts)
        if f.rule == rule and f.fix
    ]
