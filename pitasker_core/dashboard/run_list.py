"""The table of runs. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pandas as pd

from pitasker_core.base.text import visible
from pitasker_core.dashboard.figures import percent
from pitasker_core.dashboard.states import RUN, Badge
from pitasker_core.dashboard.times import ago, lasted, time_text
from pitasker_core.runs.history import Run
from pitasker_core.runs.model import RunSource, RunState
from pitasker_core.runs.run_statistics import Figures

SOURCES: dict[str, str] = {
    RunSource.OBSERVED: "cron, from its log",
    RunSource.RECORDED: "cron, recorded",
    RunSource.BY_HAND: "by hand",
    RunSource.CAUGHT_UP: "caught up",
    RunSource.MISSED: "did not start",
}
"""The trigger of a run in words."""

STATES: dict[str, Badge] = {
    **{state: (label.capitalize(), color, icon) for state, (label, color, icon) in RUN.items()},
    RunState.STARTED: ("Ran, result not recorded", *RUN[RunState.STARTED][1:]),
}
"""Each state as a badge."""


def details(run: Run) -> str:
    """Return what the state of a run does not say: its exit code, or that it was slow."""
    result = "" if run.state == RunState.SUCCESS else run.result
    return ", ".join(filter(None, [result, "slow" if run.slow else ""]))


def size(count: int) -> str:
    """Return a number of bytes in decimal units: "312 B", "4.2 kB", "1.3 GB"."""
    if count < 1000:
        return f"{count} B"
    value = float(count)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 999.5 or unit == "GB":
            break
    return f"{value:.0f} {unit}" if value >= 10 else f"{value:.1f} {unit}"


def frame(runs: Sequence[Run], now: datetime) -> pd.DataFrame:
    """Return the rows of the table. Unknown values are empty."""
    return pd.DataFrame(
        {
            "when": [ago(run.started_at, now) for run in runs],
            "task": [visible(run.task_name) for run in runs],
            "state": [[RUN[run.state][0]] for run in runs],
            "details": [visible(details(run)) for run in runs],
            "took": [lasted(run.duration) if run.duration is not None else "" for run in runs],
            "source": [SOURCES.get(run.source, run.source) for run in runs],
            "output": [size(run.bytes) if run.bytes else "" for run in runs],
            "code": pd.array([run.exit_code for run in runs], dtype="Int64"),
            "at": [time_text(run.started_at) for run in runs],
            "number": [run.id for run in runs],
        }
    )


def facts(run: Run) -> list[tuple[str, str]]:
    """Return the facts of a run with their labels. Unknown facts are left out."""
    if run.state == RunState.MISSED:
        first, last = time_text(run.started_at), time_text(run.ended_at, "")
        times = [("Should have started", first)]
        if run.missed > 1:
            times += [("Last time", last), ("Times", str(run.missed))]
        return times
    lines = [("Started", time_text(run.started_at))]
    if run.ended_at:
        lines.append(("Ended", time_text(run.ended_at)))
    if run.duration is not None:
        lines.append(("Duration", lasted(run.duration)))
    if run.user_seconds is not None and run.system_seconds is not None:
        own, system = (
            lasted(timedelta(seconds=seconds)) for seconds in (run.user_seconds, run.system_seconds)
        )
        lines.append(("CPU time", f"{own} user, {system} system"))
    if run.peak_kb is not None:
        lines.append(("Peak memory", size(run.peak_kb * 1024)))
    if run.bytes:
        lines.append(("Output", size(run.bytes)))
    return [*lines, ("Trigger", SOURCES.get(run.source, run.source))]


def success_text(figures: Figures) -> str:
    """Return the success rate in percent. It is never 100 % if a run failed or was missed."""
    return percent(figures.success_rate)


def much_output(bytes_per_day: int) -> str:
    """Return a warning that a task prints a lot."""
    return (
        f"This task prints {size(bytes_per_day)} a day. Unless the output goes to /dev/null, it is "
        "written to the disk, in a log or in cron's mail. This wears out an SD card. Make the job "
        "print less."
    )
