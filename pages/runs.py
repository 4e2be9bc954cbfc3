"""Runs: what ran, what it printed, how it ended."""

import pandas as pd
import streamlit as st

from pitasker_core import clock
from pitasker_core.dashboard.shell import act, settings
from pitasker_core.dashboard.times import ago, time_text
from pitasker_core.runs import history, spool


def main() -> None:
    """Draw the page."""
    act(spool.collect, settings())
    asked = st.query_params.get("task", "")
    found = history.runs(settings(), task=int(asked) if asked.isdecimal() else None)
    if not found:
        st.info("No run has been seen yet.", icon=":material/history:")
        return
    now = clock.now()
    st.dataframe(
        pd.DataFrame(
            {
                "when": [ago(run.started_at, now) for run in found],
                "task": [run.task_name for run in found],
                "result": [run.result for run in found],
                "at": [time_text(run.started_at) for run in found],
            }
        ),
        hide_index=True,
        height="content",
        alt="Runs",
    )


main()
