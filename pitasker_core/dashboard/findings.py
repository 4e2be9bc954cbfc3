"""The findings of a validation, with fixes for each finding and for all of a kind."""

from itertools import groupby
from operator import attrgetter

import streamlit as st

from pitasker_core.base.text import Text, visible
from pitasker_core.dashboard.cells import sentence, show_table
from pitasker_core.dashboard.messages import (
    act,
    add_notice,
    record_write,
    report_import,
    report_saved,
    report_sync,
)
from pitasker_core.dashboard.row_menu import show_row_menu
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.sync import fixes, validation
from pitasker_core.sync.fixes import Fix
from pitasker_core.sync.importing import ImportResult
from pitasker_core.sync.service import Comparison, SyncResult
from pitasker_core.sync.validation import Finding

EDIT = "Open in the editor"


def show_findings(compared: Comparison) -> None:
    """Draw the findings, or a line that says that there are none."""
    if st.session_state.pop("open_raw", False):
        st.switch_page("pages/crontab.py")
    report = validation.validate(compared)
    st.header("Validation", anchor=False)
    if report.is_valid:
        st.caption(":green[:material/check:] Tasks and crontab are in sync.")
    if not report.findings:
        return
    look_only = environment().read_only
    _offer_for_all(report.findings)
    st.session_state.findings = report.findings
    column = st.column_config
    show_table(
        [
            {
                "line": finding.line,
                "do": _offers(finding, look_only=look_only),
                "kind": _named(finding),
                "message": sentence(finding.message),
                "text": visible(finding.text or ""),
            }
            for finding in report.findings
        ],
        "Findings of the validation",
        {
            "line": column.NumberColumn("Line", width=50),
            "kind": column.TextColumn("What", width=160),
            "message": column.TextColumn("Meaning", width="large"),
            "do": column.ButtonColumn("Do", key="finding_fix", on_click=_fix_one, width=60),
            "text": column.TextColumn("Text", width="large"),
        },
    )
    show_row_menu(
        "finding",
        [_label(finding) for finding in report.findings],
        [_offers(finding, look_only=look_only) for finding in report.findings],
        lambda row, offer: _take(report.findings[row], offer),
    )


def _label(finding: Finding) -> str:
    return f"Line {finding.line}: {_named(finding)}" if finding.line else finding.message


def _named(finding: Finding) -> str:
    return finding.kind.value.replace("_", " ")


def _offers(finding: Finding, *, look_only: bool) -> list[str]:
    offers: list[str] = [] if look_only else [fix.value for fix in fixes.of(finding)]
    return [*offers, EDIT] if finding.line else offers


def _offer_for_all(findings: list[Finding]) -> None:
    """Offer the fixes that apply to all findings of a kind, if it has several."""
    kinds = groupby(sorted(findings, key=attrgetter("kind")), key=attrgetter("kind"))
    with st.container(horizontal=True):
        for kind, members in kinds:
            group = list(members)
            common = [fix for fix in fixes.of(group[0]) if all(fix in fixes.of(f) for f in group)]
            if len(group) == 1 or not common:
                continue
            chosen = st.menu_button(
                f"Fix all {len(group)}: {_named(group[0])}",
                [fix.value for fix in common],
                key=f"all-of-{kind.value}",
                disabled=environment().read_only,
            )
            if chosen:
                _fix(group, Fix(chosen))
                st.rerun()


def _fix_one() -> None:
    click = st.session_state.finding_fix
    _take(st.session_state.findings[click["row"]], click["label"])


def _take(finding: Finding, offer: str) -> None:
    if offer == EDIT:
        st.session_state.open_raw = True
    else:
        _fix([finding], Fix(offer))


def _fix(findings: list[Finding], fix: Fix) -> None:
    done = act(fixes.apply, environment(), ACTOR, findings, fix)
    if isinstance(done, ImportResult):
        report_import(done)
        for line, reason in done.errors.items():
            add_notice("error", Text(f"Line {line}: ", reason))
    elif isinstance(done, SyncResult):
        report_sync(done, fix.value)
    elif done and fix is Fix.COMMENT_OUT:
        # No undo: `crontab` would refuse the line as it was.
        record_write(fix.value, done.before, done.text)
    else:
        report_saved(done, fix.value)
