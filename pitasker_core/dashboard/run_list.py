"""The table of runs: what it says of each. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pandas as pd

from pitasker_core.base.text import visible
from pitasker_core.dashboard.times import ago, lasted, time_text
from pitasker_core.runs.history import Figures, Run

SIGNS = {"success": "✓", "failed": "✗", "missed": "⊘", "running": "…", "started": "▸"}

SOURCES = {
    "observed": "cron, seen in its log",
    "recorded": "cron, recorded",
    "by hand": "by hand",
    "caught up": "caught up",
    "missed": "did not start",
}
"""How a run came about."""

STATES = {
    "success": ("Went well", "green", ":material/check_circle:"),
    "failed": ("Failed", "red", ":material/error:"),
    "missed": ("Missed", "orange", ":material/event_busy:"),
    "running": ("Running", "blue", ":material/pending:"),
    "started": ("Started", "gray", ":material/play_arrow:"),
}
"""Each state as a badge."""


def result(run: Run) -> str:
    """What became of a run, with a sign."""
    slow = ", slow" if run.slow else ""
    return f"{SIGNS[run.state]} {run.result}{slow}"


def size(count: int) -> str:
    """A number of bytes, in decimal units as disks are sold: "312 B", "4.2 kB", "1.3 GB"."""
    if count < 1000:
        return f"{count} B"
    value = float(count)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 999.5 or unit == "GB":
            break
    return f"{value:.0f} {unit}" if value >= 10 else f"{value:.1f} {unit}"


def frame(runs: Sequence[Run], now: datetime) -> pd.DataFrame:
    """The rows. What is not known is left empty."""
    return pd.DataFrame(
        {
            "when": [ago(run.started_at, now) for run in runs],
            "task": [visible(run.task_name) for run in runs],
            "result": [visible(result(run)) for run in runs],
            "took": [lasted(run.duration) if run.duration is not None else "" for run in runs],
            "source": [SOURCES.get(run.source, run.source) for run in runs],
            "output": [size(run.bytes) if run.bytes else "" for run in runs],
            "code": pd.array([run.exit_code for run in runs], dtype="Int64"),
            "at": [time_text(run.started_at) for run in runs],
            "number": [run.id for run in runs],
        }
    )


def facts(run: Run) -> list[tuple[str, str]]:
    """What is known of a run, each with its name."""
    if run.state == "missed":
        first, last = time_text(run.started_at), time_text(run.ended_at, "")
        times = [("Should have started", first)]
        if run.missed > 1:
            times += [("The last time", last), ("Times", str(run.missed))]
        return times
    found = [("Started", time_text(run.started_at))]
    if run.ended_at:
        found.append(("Ended", time_text(run.ended_at)))
    if run.duration is not None:
        found.append(("Took", lasted(run.duration)))
    if run.user_seconds is not None and run.system_seconds is not None:
        own, system = (
            lasted(timedelta(seconds=seconds)) for seconds in (run.user_seconds, run.system_seconds)
        )
        found.append(("Processor time", f"{own} its own, {system} the system's"))
    if run.peak_kb is not None:
        found.append(("Memory at most", size(run.peak_kb * 1024)))
    if run.bytes:
        found.append(("Printed", size(run.bytes)))
    return [*found, ("Came about", SOURCES.get(run.source, run.source))]


def success_text(figures: Figures) -> str:
    """The share that went well; never 100 % while one did not."""
    rate = figures.success_rate
    if rate is None:
        return "not known"
    if rate == 1:
        return "100 %"
    return f"{min(rate, 0.999):.1%}".replace("%", " %")


def much_output(bytes_per_day: int) -> str:
    """That a task prints much, in words."""
    return (
        f"This task prints {size(bytes_per_day)} a day. Unless it goes to /dev/null, that is "
        "written to the disk, in a log or in cron's mail, and an SD card wears out by it. "
        "Let the job print less."
    )
