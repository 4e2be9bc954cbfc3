"""A finding of the doctor as a sentence with its buttons."""

import streamlit as st

from pitasker_core.crontab.doctor.finding import Finding, Severity
from pitasker_core.dashboard.finding_fix import apply_finding, silence_finding
from pitasker_core.dashboard.markdown import bold, plain
from pitasker_core.dashboard.states import Color
from pitasker_core.dashboard.write_button import write_button

SEVERITIES: dict[Severity, Color] = {
    Severity.HIGH: "red",
    Severity.MEDIUM: "orange",
    Severity.LOW: "gray",
}
SILENCE, REPORT_AGAIN = "Silence", "Report again"


def show_finding(number: int, finding: Finding, digest: str, subject: str = "") -> None:
    """Draw a finding with its fix. `subject` is shown in bold before it."""
    color = SEVERITIES[finding.severity]
    name = f"{bold(subject)} " if subject else ""
    advice = f" {plain(finding.advice)}" if finding.advice else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            f":{color}[:material/warning:] {name}{plain(finding.message)}{advice}", width="stretch"
        )
        if finding.fix:
            write_button(
                plain(finding.fix.label),
                key=f"fix-{number}-{finding.rule}",
                on_click=apply_finding,
                args=(finding, digest),
            )
        write_button(
            SILENCE,
            key=f"silence-{number}-{finding.rule}",
            type="tertiary",
            help="Do not report this finding for this entry.",
            on_click=silence_finding,
            args=(finding, digest),
        )
    if finding.terminal:
        st.code(finding.terminal, language="bash", wrap_lines=True)
