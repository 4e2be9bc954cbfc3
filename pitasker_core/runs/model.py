from enum import StrEnum


class RunState(StrEnum):
    """The state of a run, as the column `runs.state` computes it."""

    SUCCESS = "success"
    FAILED = "failed"
    MISSED = "missed"
    RUNNING = "running"
    STARTED = "started"
    """Only its start was seen."""


class RunSource(StrEnum):
    """How PiTasker knows of a run."""

    OBSERVED = "observed"
    """Seen in cron's log."""
    RECORDED = "recorded"
    BY_HAND = "by hand"
    CAUGHT_UP = "caught up"
    MISSED = "missed"


FINISHED = (RunState.SUCCESS, RunState.FAILED)
"""The states of runs whose result is known."""
