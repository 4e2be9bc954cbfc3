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
    TypeDecorator,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from pitasker_core.base.text import marked


class Marked(TypeDecorator[str]):
    """A text of PiTasker, in which code is marked."""

    impl = Text
    cache_ok = True

    def process_result_value(self, value: str | None, dialect: object) -> str | None:
        """Return the text with its code parts."""
        return value and marked(value)


class Base(DeclarativeBase):
    """The base of all rows: how Python's types map to columns."""

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
    """The last successful sync, also one without changes."""
    machine: Mapped[str | None]
    """The machine's id from `identity.machine_id`; null if it has none."""


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
    """A task. `version` makes an edit of an outdated task fail."""

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
    """When the schedule, the command, or whether cron runs it last changed. Set by a trigger."""
    tag: Mapped[UUID | None] = mapped_column("crontab_id", key="tag")
    """The id in the entry's tag. A database-only task keeps it, so that PiTasker recognises its
    entry when somebody pastes it back."""
    synced_to_crontab: Mapped[bool] = mapped_column(server_default="false")
    crontab_synced_at: Mapped[datetime | None]
    source: Mapped[str] = mapped_column(server_default="pitasker")
    is_system_managed: Mapped[bool] = mapped_column(server_default="false")
    paused: Mapped[bool] = mapped_column(server_default="false")
    paused_until: Mapped[datetime | None]
    """When the pause ends automatically; null if a person must end it."""
    record_runs: Mapped[bool] = mapped_column(server_default="false")
    timeout_seconds: Mapped[int | None]
    no_overlap: Mapped[bool] = mapped_column(server_default="false")
    catch_up: Mapped[bool] = mapped_column(server_default="false")
    """Whether a run that was missed while the machine was off is caught up after the boot."""
    ping_url: Mapped[str] = mapped_column(server_default="")
    """The address of an outside monitor, called when a run starts, succeeds or fails."""
    notify: Mapped[list[str] | None]
    """The kinds of notices for this task; null for the defaults."""
    notes: Mapped[str] = mapped_column(server_default="")
    labels: Mapped[list[str]] = mapped_column(server_default="{}")
    sync_error: Mapped[str | None] = mapped_column(Marked)
    deleted_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default="1")

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own way to say it


class BaseRow(OfCrontab, Base):
    """The base: a managed entry as both sides last agreed on it.

    It has no foreign key to the task, because it must outlive it for a deletion to be pushed. Its
    primary key is the crontab and the tag, because a copied crontab can bring the same tags to
    another machine.
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
    """How its runs are recorded; null if they are not."""
    comment_is_ours: Mapped[bool]
    """True if PiTasker wrote that comment, and so may change and remove it."""
    above: Mapped[list[str]]
    """If so: the comments directly above it, which a person wrote."""


class PlaceRow(OfCrontab, Base):
    """The place of an entry that was removed from the crontab, so that it can come back there."""

    __tablename__ = "places"

    tag: Mapped[UUID] = mapped_column(primary_key=True)
    text: Mapped[bytes]
    """The lines around the entry, and the environment lines above it."""
    line: Mapped[int]
    """The index of the entry's line in `text`."""
    comment_is_ours: Mapped[bool]


class OperationRow(OfCrontab, Base):
    """One recorded execution of sync, import, export, restore or edit."""

    __tablename__ = "sync_operations"
    __table_args__ = (
        Index("sync_operations_started", "crontab_row", "started_at"),
        Index("sync_operations_newest", "crontab_row", "id"),
        # Deleting a snapshot looks up the operations that refer to it.
        Index("sync_operations_before", "before"),
        Index("sync_operations_after", "after"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    kind: Mapped[str]
    actor: Mapped[str]
    started_at: Mapped[datetime]
    duration_ms: Mapped[float]
    outcome: Mapped[str]
    """`success`, `partial` (some tasks failed or need a decision) or `failed`."""
    pushed: Mapped[int] = mapped_column(server_default="0")
    pulled: Mapped[int] = mapped_column(server_default="0")
    conflicts: Mapped[int] = mapped_column(server_default="0")
    failed: Mapped[int] = mapped_column(server_default="0")
    details: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    error_code: Mapped[str | None]
    error_message: Mapped[str | None] = mapped_column(Marked)
    before: Mapped[int | None] = mapped_column(ForeignKey("snapshots.id", ondelete="SET NULL"))
    after: Mapped[int | None] = mapped_column(ForeignKey("snapshots.id", ondelete="SET NULL"))


class SnapshotRow(OfCrontab, Base):
    """The exact bytes of a crontab at a time. `bytes` is null if the user had no crontab."""

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
    """Why it was taken: the kind of the operation, or `found` for a text by another program."""
    entries: Mapped[int]


_STATE = """case
    when source = 'missed' or missed > 0 then 'missed'
    when source = 'observed' and exit_code is null then 'started'
    when ended_at is null and note = '' then 'running'
    when exit_code = 0 then 'success'
    else 'failed' end"""
ODD_RUNS = "state in ('failed', 'missed', 'running')"
_BY_HAND = "source = 'by hand'"


class RunRow(OfCrontab, Base):
    """One execution of a task, by cron or by hand, or missed times."""

    __tablename__ = "runs"
    __table_args__ = (
        Index("runs_task_started", "task", "started_at"),
        Index("runs_started", "crontab_row", "started_at"),
        UniqueConstraint("crontab_row", "name", name="runs_crontab_name"),
        # Partial indexes for rare runs, so that a page does not read a million others.
        Index("runs_odd", "crontab_row", "state", "started_at", postgresql_where=text(ODD_RUNS)),
        Index("runs_task_odd", "task", "state", "started_at", postgresql_where=text(ODD_RUNS)),
        Index("runs_slow", "crontab_row", "started_at", postgresql_where=text("slow")),
        Index("runs_by_hand", "crontab_row", "started_at", postgresql_where=text(_BY_HAND)),
        Index("runs_to_ping", "id", postgresql_where=text("pings is not null")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    task: Mapped[int | None] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"))
    """Null for a run of an unmanaged entry."""
    command: Mapped[str | None]
    """The command of an unmanaged entry."""
    name: Mapped[str | None]
    """A unique name from the spool or log, so that a run is imported only once."""
    source: Mapped[str]
    """`observed` in cron's log, `recorded`, `by hand`, `caught up`, or `missed`."""
    pid: Mapped[int | None]
    """The process that cron or a person started."""
    started_at: Mapped[datetime]
    """For `missed`: the first missed time."""
    ended_at: Mapped[datetime | None]
    """For `missed`: the last missed time."""
    exit_code: Mapped[int | None]
    signal: Mapped[int | None]
    """The signal that ended it."""
    user_seconds: Mapped[float | None]
    system_seconds: Mapped[float | None]
    peak_kb: Mapped[int | None]
    output: Mapped[bytes | None]
    """Its output. The middle of a long output is cut out."""
    bytes: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """The size of its whole output."""
    state: Mapped[str] = mapped_column(Computed(_STATE, persisted=True))
    """`running`, `success`, `failed`, `missed`, or `started` if only its start is known."""
    slow: Mapped[bool] = mapped_column(server_default="false")
    """Whether it took much longer than usual for its task."""
    missed: Mapped[int] = mapped_column(server_default="0")
    """For `missed`: the number of consecutive times with one reason. 1 for a recorded run that was
    skipped because of overlap."""
    note: Mapped[str] = mapped_column(server_default="")
    """A note: that it timed out, overlapped or was lost, or why it was missed."""
    pings: Mapped[list[str] | None]
    """The pending pings to its task's monitor, oldest first; null if there are none."""


class NoticeRow(OfCrontab, Base):
    """A notice for people. It is delivered if `sent_at` is set."""

    __tablename__ = "notices"
    __table_args__ = (
        Index("notices_unsent", "id", postgresql_where=text("sent_at is null")),
        Index("notices_sent", "crontab_row", "sent_at"),
        Index("notices_task", "task"),
        # A run has at most one notice of each kind.
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
    """When it is tried again; null for at once, regardless of earlier attempts."""
    problem: Mapped[str | None]
    """Why the last attempt of each channel failed."""
    deliveries: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    """The attempts of each channel by its name: see `notifications/attempts.py`."""


class EventRow(OfCrontab, Base):
    """A change: who made it, before and after."""

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
    """The SHA-256 of the schedule and command of an unmanaged entry."""
    silenced_at: Mapped[datetime] = mapped_column(server_default=func.now())


class TokenRow(OfCrontab, Base):
    """A token for scripts. Only its hash is stored."""

    __tablename__ = "tokens"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str]
    sha256: Mapped[str] = mapped_column(unique=True)
    may_write: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    used_at: Mapped[datetime | None]


class SettingRow(OfCrontab, Base):
    """Preferences of a person. Its primary key is the crontab and the key."""

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
