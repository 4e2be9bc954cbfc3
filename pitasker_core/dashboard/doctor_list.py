"""The doctor's findings in a crontab as a list, with their fixes and the silenced ones."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import streamlit as st

from pitasker_core.base.text import counted, visible
from pitasker_core.crontab.doctor.finding import Finding, Severity
from pitasker_core.crontab.document import Document, suggest_names
from pitasker_core.dashboard.cells import chips, sentence, show_table
from pitasker_core.dashboard.finding_fix import apply_finding, report_again, silence_finding
from pitasker_core.dashboard.finding_row import REPORT_AGAIN, SEVERITIES, SILENCE, show_finding
from pitasker_core.dashboard.markdown import plain
from pitasker_core.dashboard.session import environment, is_phone
from pitasker_core.reports.doctor import Examined

KEY = "doctor"
"""The key of the list. In the session's state it holds whether the list is open."""

_ROWS = 20
"""The maximum number of findings that a phone shows."""


def show_doctor(
    examined: Examined, names: Mapping[int, str], lines: Collection[int] | None = None
) -> None:
    """Draw the findings of these lines (None: of all), folded.

    `names` are those of the tasks.
    """
    findings = sorted(
        (finding for finding in examined.report.findings if _is_in(finding, lines)),
        key=lambda finding: (finding.severity.rank, finding.line),
    )
    silenced = [finding for finding in examined.silenced if _is_in(finding, lines)]
    if not findings and not silenced:
        return
    title = plain(summary(findings, silenced))
    part = st.expander(title, icon=":material/stethoscope:", key=KEY, on_change="rerun")
    # A browser draws a table in a closed expander too, which takes as long as the tasks' own.
    if not part.open:
        return
    by_line = _names(examined, names)
    with part:
        if findings and is_phone():
            _show_rows(findings, examined, by_line)
        elif findings:
            _show_table("doctor_findings", findings, examined, by_line)
        if silenced:
            st.caption("Silenced. A finding of a changed line is reported again.")
            _show_table("doctor_silenced", silenced, examined, by_line)


def summary(findings: Sequence[Finding], silenced: Sequence[Finding]) -> str:
    """Return the title of the list: the number of findings of each severity."""
    counts = [
        f"{number} {severity.value}"
        for severity in Severity
        if (number := sum(finding.severity is severity for finding in findings))
    ]
    severe = f" ({', '.join(counts)})" if counts else ""
    more = f", {len(silenced)} silenced" if silenced else ""
    return f"Doctor: {counted(len(findings), 'finding')}{severe}{more}"


def _is_in(finding: Finding, lines: Collection[int] | None) -> bool:
    return lines is None or finding.line in lines


def _show_rows(findings: Sequence[Finding], examined: Examined, names: Mapping[int, str]) -> None:
    """Draw the worst findings for a narrow screen, on which a table would cut them."""
    for number, finding in enumerate(findings[:_ROWS]):
        show_finding(number, finding, examined.digest, _name(finding, examined.document, names))
    if len(findings) > _ROWS:
        st.caption(f"and {len(findings[_ROWS:])} more")


def _show_table(
    key: str, findings: Sequence[Finding], examined: Examined, names: Mapping[int, str]
) -> None:
    is_silenced, look_only = key == "doctor_silenced", environment().read_only
    # Callbacks need the findings as they were drawn, in the order of their rows.
    st.session_state[f"{key}_drawn"] = (findings, examined.digest)
    column = st.column_config
    show_table(
        [
            {
                "entry": _name(finding, examined.document, names),
                "do": _offers(finding, is_silenced=is_silenced, look_only=look_only),
                "severity": [finding.severity.value],
                "line": finding.line,
                "finding": sentence(finding.sentence),
            }
            for finding in findings
        ],
        "Silenced findings" if is_silenced else "Findings of the doctor",
        {
            "entry": column.TextColumn("Entry", width=170, pinned=True),
            "do": column.ButtonColumn("Action", key=key, on_click=_click, args=(key,), width=110),
            "severity": chips("Severity", SEVERITIES, 90),
            "line": column.NumberColumn("Line", width=50),
            "finding": column.TextColumn("Finding", width="large"),
        },
    )


def _names(examined: Examined, names: Mapping[int, str]) -> dict[int, str]:
    """Return the name of each entry by its line: that of its task, or a suggested one."""
    of_tasks = {line: names[task] for line, task in (examined.tasks or {}).items() if task in names}
    others = [line - 1 for line in examined.report.reaching if line not in of_tasks]
    suggested = suggest_names(examined.document, others)
    return {**of_tasks, **{index + 1: name for index, name in suggested.items()}}


def _name(finding: Finding, document: Document, names: Mapping[int, str]) -> str:
    """Return the name of the entry of a finding; of an environment line, its text."""
    if finding.line in names:
        return names[finding.line]
    at = finding.line - 1
    return visible(document.lines[at].raw.strip())[:60] if at < len(document.lines) else ""


def _offers(finding: Finding, *, is_silenced: bool, look_only: bool) -> list[str]:
    if look_only:
        return []
    if is_silenced:
        return [REPORT_AGAIN]
    return [*([finding.fix.label] if finding.fix else []), SILENCE]


def _click(key: str) -> None:
    click: Any = st.session_state[key]
    findings, digest = st.session_state[f"{key}_drawn"]
    finding, label = findings[click["row"]], click["label"]
    does: dict[str, Callable[[Finding, str], None]] = {
        SILENCE: silence_finding,
        REPORT_AGAIN: report_again,
    }
    does.get(label, apply_finding)(finding, digest)
