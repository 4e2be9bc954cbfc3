from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pitasker_core.base.storable import storable, storable_data
from pitasker_core.crontab.document import decode
from pitasker_core.server.answers.problems import Problem
from pitasker_core.server.answers.wire import answer, copy_fields

if TYPE_CHECKING:
    from pitasker_core.crontab import execution
    from pitasker_core.reports.doctor import Examined


@answer
class Fix:
    """An edit of a line: another schedule or command of an entry, or value of an environment line.
    What is null stays."""

    label: str
    schedule: str | None
    command: str | None
    value: str | None


@answer
class Finding:
    """What a rule reports about a line."""

    rule: str
    title: str
    severity: Literal["high", "medium", "low"]
    line: int
    message: str
    evidence: str
    advice: str
    terminal: str
    fix: Fix | None
    task: int | None


@answer
class SilencedFinding:
    """A finding of a silenced rule."""

    rule: str
    line: int


@answer
class Examination:
    """The findings of a crontab in the order of its lines. `sha256` names the text that was
    examined. `counts` are by severity."""

    sha256: str
    counts: dict[str, int]
    findings: list[Finding]
    silenced: list[SilencedFinding]

    @classmethod
    def of(cls, examined: "Examined") -> "Examination":
        from pitasker_core.crontab.doctor.catalogue import RULES
        from pitasker_core.crontab.doctor.finding import Severity

        tasks = examined.tasks or {}
        findings = [
            copy_fields(
                Finding,
                finding,
                title=RULES[finding.rule].title,
                fix=finding.fix and copy_fields(Fix, finding.fix),
                task=tasks.get(finding.line),
            )
            for finding in examined.report.findings
        ]
        counts = {severity.value: examined.report.count(severity) for severity in Severity}
        silenced = [copy_fields(SilencedFinding, finding) for finding in examined.silenced]
        return cls(examined.digest, counts, findings, silenced)


@answer
class Rule:
    """The documentation of a rule. `example` is reported, `better` is not."""

    code: str
    title: str
    explanation: str
    example: str
    better: str


@answer
class Silence:
    """Whether a rule is silenced, and where."""

    rule: str
    task: int | None
    line: int | None
    silenced: bool


@answer
class Fixed:
    """A fix that was applied. `error` is why the tasks or the crontab do not follow yet."""

    rule: str
    line: int
    error: Problem | None = None


@answer
class Difference:
    """A variable that a login shell sets otherwise than cron; null is not set."""

    name: str
    cron: str | None
    login: str | None


@answer
class Execution:
    """What cron runs for an entry. `login` is null unless a login shell was asked, which only the
    command line does."""

    shell: str
    command: str
    standard_input: str | None
    folder: str
    environment: dict[str, str]
    mail_to: str | None
    is_recorded: bool
    login: list[Difference] | None

    @classmethod
    def of(
        cls,
        execution: "execution.Execution",
        differences: "Sequence[execution.Difference] | None" = None,
    ) -> "Execution":
        login: Any = differences and [copy_fields(Difference, each) for each in differences]
        return copy_fields(
            cls,
            execution,
            shell=storable(execution.shell),
            command=storable(execution.command),
            standard_input=None if execution.stdin is None else storable(decode(execution.stdin)),
            folder=storable(execution.folder),
            environment=storable_data(dict(execution.environment)),
            login=login,
        )
