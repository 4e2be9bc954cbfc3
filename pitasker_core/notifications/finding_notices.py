"""Notices about validation findings: one when a finding appears, and one when it is gone."""

import hashlib
import logging
from collections.abc import Collection
from itertools import islice
from typing import Any

from pitasker_core import database
from pitasker_core.base import clock
from pitasker_core.base.environment import Environment
from pitasker_core.database import notices
from pitasker_core.database.tables import StateRow
from pitasker_core.sync import store
from pitasker_core.sync.merge import ChangeKind
from pitasker_core.sync.validation import NOT_A_FAULT, Finding, Report

_KEY = "findings"
_NAMED = 5
"""The number of findings that a notice names. Further ones are counted."""
_KEPT = 200
"""The number of findings that are remembered. A crontab may have 10,000 invalid lines."""

_log = logging.getLogger(__name__)


def notify(environment: Environment, report: Report) -> None:
    """Log new findings, and add a notice about new and resolved ones. Raises DatabaseError.

    Conflicts have their own notice. A change that the next sync will make is reported only if a
    second validation also finds it.
    """
    findings = {
        _fingerprint(finding): finding
        for finding in report.findings
        if finding.kind not in NOT_A_FAULT and not _is(finding, ChangeKind.CONFLICT)
    }
    with database.session(environment) as session:
        row = session.get(StateRow, _KEY)
        before: dict[str, Any] = row.value if row else {"told": {}, "seen": []}
        reported: dict[str, str] = before["told"]
        new: dict[str, str] = {}
        waiting = []
        for fingerprint, finding in islice(findings.items(), _KEPT):
            if fingerprint in reported:
                continue
            if _is(finding, ChangeKind.PUSH, ChangeKind.PULL) and fingerprint not in before["seen"]:
                waiting.append(fingerprint)
            else:
                new[fingerprint] = _sentence(finding)
        gone = [
            sentence for fingerprint, sentence in reported.items() if fingerprint not in findings
        ]
        standing = {key: sentence for key, sentence in reported.items() if key in findings}
        after = {"told": {**standing, **new}, "seen": waiting}
        if after != before:
            session.merge(StateRow(key=_KEY, value=after, updated_at=clock.now()))
        if new or gone:
            parts = [_listed("Needs attention", new.values()), _listed("Resolved", gone)]
            message = " ".join(filter(None, parts))
            crontab_row = store.own_crontab(session)
            notices.add(session, crontab_row, notices.NoticeKind.FINDING, message)
    for sentence in new.values():
        _log.warning("Validation: %s", sentence)
    for sentence in gone:
        _log.info("Validation, resolved: %s", sentence)


def _is(finding: Finding, *kinds: ChangeKind) -> bool:
    return finding.change is not None and finding.change.kind in kinds


def _fingerprint(finding: Finding) -> str:
    """An identity of a finding that stays the same when its line moves."""
    parts = (finding.kind.value, finding.task, finding.tag, finding.text)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _sentence(finding: Finding) -> str:
    where = f"Line {finding.line}: " if finding.line else ""
    return f"{where}{finding.message}"


def _listed(head: str, sentences: Collection[str]) -> str:
    if not sentences:
        return ""
    more = f" And {len(sentences) - _NAMED} more." if len(sentences) > _NAMED else ""
    return f"{head}: {' '.join(islice(sentences, _NAMED))}{more}"
