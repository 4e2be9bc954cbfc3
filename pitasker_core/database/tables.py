"""The tables. Names read well in `psql`; every time is aware and in UTC.

`migrations/` makes these tables; this file says how Python sees them.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Computed,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """What the rows have in common: how Python's types become columns."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own way to say it
        str: Text,
        datetime: TIMESTAMP(timezone=True),
        list[str]: ARRAY(Text),
        dict[str, Any]: JSONB,
        bytes: LargeBinary,
    }


class CrontabRow(Base):
    """One user's crontab on one host."""

    __tablename__ = "crontabs"
    __table_args__ = (
        Index("crontabs_identity", "host", "user", text("coalesce(machine, '')"), unique=True),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    host: Mapped[str]
    user: Mapped[str]
    synced_at: Mapped[datetime | None]
    """When a sync last went well, also one that found nothing to do."""
    machine: Mapped[str | None]
    """The id of the machine, as `identity.machine_id` makes it; null where it has none."""


class OfCrontab:
    """A row that belongs to a crontab. A new row gets the crontab of its connection.

    `scope` lets each connection see and change the rows of its own crontab only, so that the other
    key columns identify a row. The column is called `crontab` in the database.
    """

    crontab_row: Mapped[int] = mapped_column(
        "crontab",
        ForeignKey("crontabs.id"),
        key="crontab_row",
        server_default=func.pitasker_crontab(),
    )


class TaskRow(OfCrontab, Base):
    """What a person manages. `version` makes an edit of something stale fail."""

    __tablename__ = "tasks"
    __table_args__ = (
        Index("tasks_crontab_id", "crontab_row", "tag", unique=True),
        Index("tasks_deleted", "crontab_row", postgresql_where=text("deleted_at is not null")),
        Index("tasks_is_system_managed", "is_system_managed"),
        Index("tasks_synced", "synced_to_crontab", "crontab_synced_at"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str]
    cron_schedule: Mapped[str]
    command: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="pending")
    last_run: Mapped[datetime | None]
    output: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    definition_changed_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When its schedule, its command, or whether cron runs it changed last. A trigger writes it."""
    tag: Mapped[UUID | None] = mapped_column("crontab_id", key="tag")
    """The id in the entry's tag. A database-only task keeps it, so that PiTasker recognises its
    entry when somebody pastes it back."""
    synced_to_crontab: Mapped[bool] = mapped_column(server_default="false")
    crontab_synced_at: Mapped[datetime | None]
    source: Mapped[str] = mapped_column(server_default="pitasker")
    is_system_managed: Mapped[bool] = mapped_column(server_default="false")
    paused: Mapped[bool] = mapped_column(server_default="false")
    paused_until: Mapped[datetime | None]
    """When the pause ends by itself; without it a person ends it."""
    record_runs: Mapped[bool] = mapped_column(server_default="false")
    timeout_seconds: Mapped[int | None]
    no_overlap: Mapped[bool] = mapped_column(server_default="false")
    catch_up: Mapped[bool] = mapped_column(server_default="false")
    """Whether a run that was missed while the machine was off is made up after it is on again."""
    ping_url: Mapped[str] = mapped_column(server_default="")
    """An outside monitor's address, called when a run starts, goes well or fails."""
    notify: Mapped[list[str] | None]
    """The kinds of notices wanted of this task; null for those that are wanted of all."""
    notes: Mapped[str] = mapped_column(server_default="")
    labels: Mapped[list[str]] = mapped_column(server_default="{}")
    sync_error: Mapped[str | None]
    deleted_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default="1")

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own way to say it


class BaseRow(OfCrontab, Base):
    """A managed entry as both sides last agreed on it.

    No foreign key to the task: it must outlive it, so that a deletion can be pushed. Its primary
    key is the crontab and the tag: a copied crontab file brings its tags to another machine.
    """

    __tablename__ = "sync_base"

    tag: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    schedule: Mapped[str]
    command: Mapped[str]
    paused: Mapped[bool]
    comment: Mapped[str | None]
    """The comment above the entry at that time."""
    recording: Mapped[dict[str, Any] | None]
    """How its runs are recorded; null when they are not."""
    comment_is_ours: Mapped[bool]
    """True when PiTasker wrote that comment, and so may change and remove it."""
    above: Mapped[list[str]]
    """If it did: the other comments directly above it, which a person wrote."""


class PlaceRow(OfCrontab, Base):
    """Where an entry stood when it was taken out of the crontab, so that it can come back there."""

    __tablename__ = "places"

    tag: Mapped[UUID] = mapped_column(primary_key=True)
    text: Mapped[bytes]
    """The lines around the entry, and the settings above it."""
    line: Mapped[int]
    """The index of the entry's line in `text`."""
    comment_is_ours: Mapped[bool]


class OperationRow(OfCrontab, Base):
    """One recorded execution of sync, import, export, restore or edit."""

    __tablename__ = "sync_operations"
    __table_args__ = (
        Index("sync_operations_started", "crontab_row", "started_at"),
        Index("sync_operations_newest", "crontab_row", "id"),
        # Forgetting a snapshot looks for the operations that name it.
        Index("sync_operations_before", "before"),
        Index("sync_operations_after", "after"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    kind: Mapped[str]
    actor: Mapped[str]
    started_at: Mapped[datetime]
    duration_ms: Mapped[float]
    outcome: Mapped[str]
    """`success`, `partial` (some tasks failed or wait for a choice) or `failed`."""
    pushed: Mapped[int] = mapped_column(server_default="0")
    pulled: Mapped[int] = mapped_column(server_default="0")
    conflicts: Mapped[int] = mapped_column(server_default="0")
    failed: Mapped[int] = mapped_column(server_default="0")
    details: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    error_code: Mapped[str | None]
    error_message: Mapped[str | None]
    before: Mapped[int | None] = mapped_column(ForeignKey("snapshots.id", ondelete="SET NULL"))
    after: Mapped[int | None] = mapped_column(ForeignKey("snapshots.id", ondelete="SET NULL"))


class SnapshotRow(OfCrontab, Base):
    """The exact bytes of a crontab at a time. `bytes` is null when the user had no crontab."""

    __tablename__ = "snapshots"
    __table_args__ = (
        Index("snapshots_crontab_sha256", "crontab_row", "sha256"),
        Index("snapshots_newest", "crontab_row", "id"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    taken_at: Mapped[datetime] = mapped_column(server_default=func.now())
    sha256: Mapped[str]
    bytes: Mapped[bytes | None]
    reason: Mapped[str]
    """Why it was taken: the kind of the operation, or `found` for a text that others wrote."""
    entries: Mapped[int]


_STATE = """case
    when source = 'missed' or missed > 0 then 'missed'
    when source = 'observed' and exit_code is null then 'started'
    when ended_at is null and note = '' then 'running'
    when exit_code = 0 then 'success'
    else 'failed' end"""
_ODD = "state in ('failed', 'missed', 'running')"
_BY_HAND = "source = 'by hand'"


class RunRow(OfCrontab, Base):
    """One execution of a task, by cron or by hand; or times at which it should have run."""

    __tablename__ = "runs"
    __table_args__ = (
        Index("runs_task_started", "task", "started_at"),
        Index("runs_started", "crontab_row", "started_at"),
        UniqueConstraint("crontab_row", "name", name="runs_crontab_name"),
        # Small ones, for what is looked for and rare: a page shall not read a million that are not.
        Index("runs_odd", "crontab_row", "state", "started_at", postgresql_where=text(_ODD)),
        Index("runs_task_odd", "task", "state", "started_at", postgresql_where=text(_ODD)),
        Index("runs_slow", "crontab_row", "started_at", postgresql_where=text("slow")),
        Index("runs_by_hand", "crontab_row", "started_at", postgresql_where=text(_BY_HAND)),
        Index("runs_to_ping", "id", postgresql_where=text("pings is not null")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    task: Mapped[int | None] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"))
    """Null for the run of an entry that no task manages."""
    command: Mapped[str | None]
    """Of a run without a task: the entry's command."""
    name: Mapped[str | None]
    """What it is called where it was found: it is taken in once, however often it is seen."""
    source: Mapped[str]
    """`observed` in cron's log, `recorded`, `by hand`, `caught up`, or `missed`."""
    pid: Mapped[int | None]
    """The process that cron, or a person, started."""
    started_at: Mapped[datetime]
    """For `missed`: when it should have started, the first time."""
    ended_at: Mapped[datetime | None]
    """For `missed`: when it should have started, the last time."""
    exit_code: Mapped[int | None]
    signal: Mapped[int | None]
    """The signal that ended it."""
    user_seconds: Mapped[float | None]
    system_seconds: Mapped[float | None]
    peak_kb: Mapped[int | None]
    output: Mapped[bytes | None]
    """What it printed, its middle left out where that was too much."""
    bytes: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """How much it printed."""
    state: Mapped[str] = mapped_column(Computed(_STATE, persisted=True))
    """`running`, `success`, `failed`, `missed`, or `started` when only its start was seen."""
    slow: Mapped[bool] = mapped_column(server_default="false")
    """Whether it took much longer than was usual for its task then."""
    missed: Mapped[int] = mapped_column(server_default="0")
    """For `missed`: how many times in a row, for one and the same reason. 1 for a recorded run that
    was not to start beside another."""
    note: Mapped[str] = mapped_column(server_default="")
    """What there is to say of it, in words: that it timed out, overlapped, was lost, or why it was
    missed."""
    pings: Mapped[list[str] | None]
    """What its task's outside monitor is still to be told, oldest first; null when it was."""


class NoticeRow(OfCrontab, Base):
    """Something to tell people about, once. Sent when `sent_at` is set."""

    __tablename__ = "notices"
    __table_args__ = (
        Index("notices_unsent", "id", postgresql_where=text("sent_at is null")),
        Index("notices_sent", "crontab_row", "sent_at"),
        Index("notices_task", "task"),
        # One notice of a kind for a run, however often its end is seen.
        Index("notices_run", "run", "kind", unique=True, postgresql_where=text("run is not null")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    kind: Mapped[str]
    """`failed`, `recovered`, `missed`, `conflict`, `sync failed` or `finding`."""
    task: Mapped[int | None] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"))
    run: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("runs.id", ondelete="SET NULL"))
    message: Mapped[str]
    sent_at: Mapped[datetime | None]
    next_try: Mapped[datetime | None]
    """When it is looked at again; null: at once, without regard to earlier tries."""
    problem: Mapped[str | None]
    """What went wrong with the last try of each channel."""
    deliveries: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    """What became of it in each channel, by name: see `notifications/attempts.py`."""


class EventRow(OfCrontab, Base):
    """Who changed what, before and after."""

    __tablename__ = "events"
    __table_args__ = (
        Index("events_at", "crontab_row", "at"),
        Index("events_newest", "crontab_row", "id"),
        Index("events_task", "task"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    actor: Mapped[str]
    kind: Mapped[str]
    task: Mapped[int | None] = mapped_column(ForeignKey("tasks.id", ondelete="SET NULL"))
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]


class SilencedRuleRow(OfCrontab, Base):
    """A rule of the doctor that a person silenced for one task, or for one unmanaged entry."""

    __tablename__ = "silenced_rules"
    __table_args__ = (
        Index(
            "silenced_rules_of_task",
            "task",
            "rule",
            unique=True,
            postgresql_where=text("task is not null"),
        ),
        Index(
            "silenced_rules_of_entry",
            "crontab_row",
            "entry",
            "rule",
            unique=True,
            postgresql_where=text("entry is not null"),
        ),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    rule: Mapped[str]
    task: Mapped[int | None] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"))
    entry: Mapped[str | None]
    """The SHA-256 of the schedule and command of an entry that no task manages."""
    silenced_at: Mapped[datetime] = mapped_column(server_default=func.now())


class TokenRow(OfCrontab, Base):
    """A token for scripts. Only its hash is kept."""

    __tablename__ = "tokens"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str]
    sha256: Mapped[str] = mapped_column(unique=True)
    may_write: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    used_at: Mapped[datetime | None]


class SettingRow(OfCrontab, Base):
    """What a person set in the dashboard. Its primary key is the crontab and the key."""

    __tablename__ = "settings"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class StateRow(OfCrontab, Base):
    """What PiTasker remembers about its own work and the dashboard's, such as the result of each
    background job, the position in cron's log and the drafts of each browser. Its primary key is
    the crontab and the key."""

    __tablename__ = "state"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
