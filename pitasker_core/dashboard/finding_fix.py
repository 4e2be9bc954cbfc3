"""Fix and silence the doctor's findings, from any page."""

from functools import partial

from pitasker_core.crontab.doctor.catalogue import RULES
from pitasker_core.crontab.doctor.finding import Finding
from pitasker_core.dashboard.messages import act, record_write, report_applied, report_saved
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.reports import doctor
from pitasker_core.reports.doctor import Place
from pitasker_core.sync.edit import Saved
from pitasker_core.tasks import Applied


def apply_finding(finding: Finding, digest: str) -> None:
    """Apply the fix of a finding, unless the crontab changed since the finding was shown."""
    label = finding.fix.label if finding.fix else ""
    done = act(doctor.apply_fix, environment(), ACTOR, finding.rule, finding.line, digest)
    if isinstance(done, Applied):
        report_applied(done, label)
    elif isinstance(done, Saved):
        report_saved(done, label)


def silence_finding(finding: Finding, digest: str) -> None:
    """Silence the rule of a finding for its entry, unless the crontab changed since."""
    place = act(doctor.locate, environment(), line=finding.line, shown=digest)
    if place is not None:
        _silence(finding.rule, place)


def report_again(finding: Finding, digest: str) -> None:
    """Report a silenced finding again, unless the crontab changed since it was shown."""
    place = act(doctor.locate, environment(), line=finding.line, shown=digest)
    if place is not None:
        _unsilence(finding.rule, place)


def _silence(rule: str, place: Place) -> None:
    act(doctor.silence, environment(), ACTOR, rule, place)
    record_write(f"Silenced: {_title(rule)}", None, None, partial(_unsilence, rule, place))


def _unsilence(rule: str, place: Place) -> None:
    act(doctor.unsilence, environment(), ACTOR, rule, place)
    record_write(f"Reported again: {_title(rule)}", None, None, partial(_silence, rule, place))


def _title(rule: str) -> str:
    return RULES[rule].title if rule in RULES else rule
