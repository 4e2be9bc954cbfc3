"""Apply the fix of a doctor's finding, from any page."""

from pitasker_core.crontab.doctor.finding import Finding
from pitasker_core.dashboard.messages import act, report_applied, report_saved
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.reports import doctor
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
