"""The JSON shapes of the doctor, and of what cron would run."""

from collections.abc import Sequence

from pitasker_core.base.storable import storable, storable_data
from pitasker_core.crontab.doctor.catalogue import RULES
from pitasker_core.crontab.doctor.finding import Finding, Severity
from pitasker_core.crontab.document import decode
from pitasker_core.crontab.execution import Difference, Execution
from pitasker_core.reports.doctor import Examined
from pitasker_core.server.answers.wire import Shape


def finding(item: Finding) -> Shape:
    """One finding of the doctor. `fix` is an edit of its line; null where there is none."""
    fix = item.fix
    return {
        "rule": item.rule,
        "title": RULES[item.rule].title,
        "severity": item.severity.value,
        "line": item.line,
        "message": item.message,
        "evidence": item.evidence,
        "advice": item.advice,
        "terminal": item.terminal,
        "fix": fix
        and {
            "label": fix.label,
            "schedule": fix.schedule,
            "command": fix.command,
            "value": fix.value,
        },
    }


def examined(result: Examined) -> Shape:
    """The findings of a crontab. `sha256` names the text that was examined."""
    tasks = result.tasks or {}
    return {
        "sha256": result.digest,
        "counts": {severity.value: result.report.count(severity) for severity in Severity},
        "findings": [
            {**finding(item), "task": tasks.get(item.line)} for item in result.report.findings
        ],
        "silenced": [{"rule": item.rule, "line": item.line} for item in result.silenced],
    }


def execution(run: Execution, differences: Sequence[Difference] | None) -> Shape:
    """What cron runs for an entry. `login` is null unless a login shell was asked."""
    return {
        "shell": storable(run.shell),
        "command": storable(run.command),
        "standardInput": None if run.stdin is None else storable(decode(run.stdin)),
        "folder": storable(run.folder),
        "environment": storable_data(dict(run.environment)),
        "mailTo": run.mail_to,
        "isRecorded": run.is_recorded,
        "login": None
        if differences is None
        else [{"name": d.name, "cron": d.cron, "login": d.login} for d in differences],
    }
