"""Findings about foreign bytes can be shown on a page, in JSON and in the database."""

import json

from pitasker_core.base.storable import is_storable
from pitasker_core.crontab.doctor.examination import examine
from pitasker_core.crontab.document import decode, parse

FOREIGN = decode(b"PATH=~/caf\xe9\n* 3 * * * cd caf\xe9 && source caf\xe9 % caf\xe9 &> caf\xe9\n")


def test_findings_about_foreign_bytes_are_text_for_pages_and_json():
    findings = examine(parse(FOREIGN)).findings
    assert findings
    for finding in findings:
        texts = [finding.message, finding.evidence, finding.advice, finding.terminal]
        if finding.fix:
            texts += filter(None, (finding.fix.schedule, finding.fix.command, finding.fix.value))
        assert all(map(is_storable, texts)), finding
        json.dumps(texts).encode()


def test_a_fix_never_replaces_foreign_bytes_by_something_else():
    fixes = [finding.fix for finding in examine(parse(FOREIGN)).findings if finding.fix]
    assert not any(fix.command and "\\xe9" in fix.command for fix in fixes)
