"""The JSON shapes of the doctor, and of what cron would run."""

from collections.abc import Sequence

from pitasker_core.crontab.doctor.catalogue import RULES
from pitasker_core.crontab.doctor.finding import Finding, Severity
from pitasker_core.crontab.document import decode
from pitasker_core.crontab.execution import Difference, Execution
from pitasker_core.reports.doctor import Examined
from pitasker_core.server.json import Shape


def finding(found: Finding) -> Shape:
    """One finding of the doctor. `fix` is an edit of its line; null where there is none."""
    fix = found.fix
    return {
        "rule": found.rule,
        "title": RULES[found.rule].title,
        "severity": found.severity.value,
        "line": found.line,
        "message": found.message,
        "evidence": found.evidence,
        "advice": found.advice,
        "terminal": found.terminal,
        "fix": fix
        and {
            "label": fix.label,
            "schedule": fix.schedule,
            "command": fix.command,
            "value": fix.value,
        },
    }


def examined(found: Examined) -> Shape:
    """The findings of a crontab. `sha256` names the text that was examined."""
    tasks = found.tasks or {}
    return {
        "sha256": found.digest,
        "counts": {severity.value: found.report.count(severity) for severity in Severity},
        "findings": [
            {**finding(one), "task": tasks.get(one.line)} for one in found.report.findings
        ],
        "silenced": [{"rule": one.rule, "line": one.line} for one in found.silenced],
    }


def execution(found: Execution, differences: Sequence[Difference] | None) -> Shape:
    """What cron runs for an entry. `login` is null unless a login shell was asked."""
    return {
        "shell": found.shell,
        "command": found.command,
        "standardInput": None if found.stdin is None else decode(found.stdin),
        "folder": found.folder,
        "environment": dict(found.environment),
        "mailTo": found.mail_to,
        "isRecorded": found.is_recorded,
        "login": None
        if differences is None
        else [{"name": d.name, "cron": d.cron, "login": d.login} for d in differences],
    }
