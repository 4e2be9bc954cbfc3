"""The doctor's findings on the page of a task, with their fixes and the silenced ones."""

from collections.abc import Sequence

import streamlit as st

from pitasker_core.base.errors import PiTaskerError
from pitasker_core.base.text import counted
from pitasker_core.crontab.doctor.finding import Finding
from pitasker_core.dashboard.finding_fix import report_again
from pitasker_core.dashboard.finding_row import REPORT_AGAIN, show_finding
from pitasker_core.dashboard.markdown import plain
from pitasker_core.dashboard.session import environment
from pitasker_core.dashboard.write_button import write_button
from pitasker_core.reports import doctor
from pitasker_core.reports.doctor import Examined
from pitasker_core.sync.comparison import Comparison
from pitasker_core.tasks import Task


def show_findings(task: Task, comparison: Comparison | None = None) -> None:
    """Draw the findings of a task. With a comparison, the crontab is not read again."""
    try:
        examined = doctor.examine(environment(), comparison)
    except PiTaskerError:
        return  # the header reports it
    findings, silenced = examined.of_task(task.id), examined.silenced_of_task(task.id)
    if findings:
        with st.container(border=True, gap="xsmall", key="findings"):
            for number, finding in enumerate(findings):
                show_finding(number, finding, examined.digest)
    if silenced:
        _show_silenced(silenced, examined)


def _show_silenced(silenced: Sequence[Finding], examined: Examined) -> None:
    with st.expander(f"{counted(len(silenced), 'finding')} silenced", key="silenced"):
        for number, finding in enumerate(silenced):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.caption(plain(finding.message), width="stretch")
                write_button(
                    REPORT_AGAIN,
                    key=f"report-{number}-{finding.rule}",
                    type="tertiary",
                    on_click=report_again,
                    args=(finding, examined.digest),
                )
