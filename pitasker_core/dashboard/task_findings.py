"""The doctor's findings on the page of a task, with their fixes and the silenced ones."""

from collections.abc import Sequence

import streamlit as st

from pitasker_core.base.errors import PiTaskerError
from pitasker_core.base.text import counted
from pitasker_core.crontab.doctor.finding import Finding
from pitasker_core.dashboard.doctor_list import REPORT_AGAIN, SEVERITIES, SILENCE
from pitasker_core.dashboard.finding_fix import apply_finding, report_again, silence_finding
from pitasker_core.dashboard.markdown import plain
from pitasker_core.dashboard.session import environment
from pitasker_core.reports import doctor
from pitasker_core.reports.doctor import Examined
from pitasker_core.tasks import Task


def show_findings(task: Task) -> None:
    """Draw the findings of a task."""
    try:
        examined = doctor.examine(environment())
    except PiTaskerError:
        return  # the header reports it
    findings, silenced = examined.of_task(task.id), examined.silenced_of_task(task.id)
    if findings:
        with st.container(border=True, gap="xsmall", key="findings"):
            for number, finding in enumerate(findings):
                _show_finding(number, finding, examined)
    if silenced:
        _show_silenced(silenced, examined)


def _show_finding(number: int, finding: Finding, examined: Examined) -> None:
    color = SEVERITIES[finding.severity]
    advice = f" {plain(finding.advice)}" if finding.advice else ""
    look_only = environment().read_only
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            f":{color}[:material/warning:] {plain(finding.message)}{advice}", width="stretch"
        )
        if finding.fix:
            st.button(
                plain(finding.fix.label),
                key=f"fix-{number}-{finding.rule}",
                on_click=apply_finding,
                args=(finding, examined.digest),
                disabled=look_only,
            )
        st.button(
            SILENCE,
            key=f"silence-{number}-{finding.rule}",
            type="tertiary",
            help="Do not report this finding for this entry.",
            on_click=silence_finding,
            args=(finding, examined.digest),
            disabled=look_only,
        )
    if finding.terminal:
        st.code(finding.terminal, language="bash")


def _show_silenced(silenced: Sequence[Finding], examined: Examined) -> None:
    with st.expander(f"{counted(len(silenced), 'finding')} silenced", key="silenced"):
        for number, finding in enumerate(silenced):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.caption(plain(finding.message), width="stretch")
                st.button(
                    REPORT_AGAIN,
                    key=f"report-{number}-{finding.rule}",
                    type="tertiary",
                    on_click=report_again,
                    args=(finding, examined.digest),
                    disabled=environment().read_only,
                )
