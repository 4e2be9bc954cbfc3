"""How the tables of samples are read."""

from tests.helpers.sample_machine import examined


def reports(text: str, **facts: object) -> set[str]:
    """The findings of a crontab as `rule severity`."""
    return {f"{finding.rule} {finding.severity}" for finding in examined(f"{text}\n", **facts)}


def fixes(text: str, rule: str, **facts: object) -> list[tuple[str | None, str | None, str | None]]:
    """The schedule, command and value that the fixes of a rule would write."""
    return [
        (f.fix.schedule, f.fix.command, f.fix.value)
        for f in examined(f"{text}\n", **facts)
        if f.rule == rule and f.fix
    ]
