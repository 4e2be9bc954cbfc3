"""What the API takes and gives about the doctor, and about what cron would run."""

from typing import Annotated, Literal

from pydantic import Field, Strict, model_validator

from pitasker_core.server.api.requests import AnyText, Flag, Id, Line, Model, Text

_Rule = Annotated[Text, Field(min_length=1, max_length=60)]
_Sha256 = Annotated[str, Strict(), Field(pattern="^[0-9a-f]{64}$")]


class CrontabText(Model):
    """Any crontab. With `textOnly` no file of this machine is looked at."""

    content: Annotated[AnyText, Field(examples=["0 5 * * * date +%F\n"])]
    text_only: Flag = True


class RulePlace(Model):
    """A rule, and the task or the line of the crontab for which it is silenced."""

    rule: _Rule
    task: Id | None = None
    line: Line | None = None

    @model_validator(mode="after")
    def _check_place(self) -> "RulePlace":
        if (self.task is None) == (self.line is None):
            raise ValueError("name a task or a line, and not both")
        return self


class FixRequest(Model):
    """A finding whose fix is to be applied. `sha256` is that of the examined text: 409 if the
    crontab was changed since."""

    rule: _Rule
    line: Line
    sha256: _Sha256


class Fix(Model):
    """An edit of a line: another schedule or command of an entry, or value of an environment line.
    What is null stays."""

    label: str
    schedule: AnyText | None
    command: AnyText | None
    value: AnyText | None


class Finding(Model):
    """What a rule reports about a line."""

    rule: str
    title: str
    severity: Literal["high", "medium", "low"]
    line: int
    task: int | None
    message: AnyText
    evidence: AnyText
    advice: AnyText
    terminal: AnyText
    fix: Fix | None


class SilencedFinding(Model):
    """A finding of a silenced rule."""

    rule: str
    line: int


class Examination(Model):
    """The findings of a crontab in the order of its lines. `counts` are by severity."""

    sha256: str
    counts: dict[str, int]
    findings: list[Finding]
    silenced: list[SilencedFinding]


class Rule(Model):
    """The documentation of a rule. `example` is reported, `better` is not."""

    code: str
    title: str
    explanation: str
    example: str
    better: str


class Silence(Model):
    """Whether a rule is silenced, and where."""

    rule: str
    task: int | None
    line: int | None
    silenced: bool


class Fixed(Model):
    """A fix that was applied. `error` is why the tasks or the crontab do not follow yet."""

    rule: str
    line: int
    error: dict[str, object] | None = None


class Execution(Model):
    """What cron runs for an entry. `login` is null: only the command line asks a login shell."""

    shell: AnyText
    command: AnyText
    standard_input: AnyText | None
    folder: AnyText
    environment: dict[AnyText, AnyText]
    mail_to: AnyText | None
    is_recorded: bool
    login: None
