"""A sample of each value in the answers of the API and the command line."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from pitasker_core.base.errors import CrontabUnavailable, NotFound
from pitasker_core.base.identity import Identity
from pitasker_core.base.text import Code, Text
from pitasker_core.crontab.recording import recording
from pitasker_core.database.owner import Known, Standing
from pitasker_core.reports.status import Health, Status
from pitasker_core.runs.history import Run
from pitasker_core.runs.why.answer import Answer, Check, Verdict
from pitasker_core.server.auth import Role
from pitasker_core.server.tokens import Token
from pitasker_core.sync.importing import ImportResult
from pitasker_core.sync.merge import Change, ChangeKind, Fields, Plan
from pitasker_core.sync.operation_history import Operation, OperationDetails
from pitasker_core.sync.service import SyncResult
from pitasker_core.sync.store import Snapshot, SnapshotText
from pitasker_core.sync.validation import Discrepancy, Finding, Report
from pitasker_core.tasks import Applied, Listing, State, Task

TAG = UUID(int=7)
AT = datetime(2026, 3, 4, 12, 48, 5, 120000, tzinfo=UTC)
LATER = AT.replace(microsecond=0) + timedelta(days=1)

ERROR = NotFound("There is no task 9.", Text(Code("./pitasker list"), " shows them all."))
UNAVAILABLE = CrontabUnavailable("There is no crontab program.", "Install cron.")

TASK = Task(
    name="Backup “é”", schedule="0 2 * * *", command="/bin/backup", paused=True,
    paused_until=LATER, system_managed=True, notes="Line\ntwo", labels=("a", "b"),
    record_runs=True, timeout_seconds=60, no_overlap=True, catch_up=True,
    ping_url="https://hc-ping.com/x", notify=("failed",), id=3, source="imported",
    status="success", last_run=AT, sync_error="Too long.", synced_at=AT, created_at=AT,
    updated_at=LATER, definition_changed_at=AT, deleted_at=None, version=4, tag=TAG,
)  # fmt: skip
PLAIN_TASK = replace(
    TASK, id=4, paused=False, paused_until=None, labels=(), notify=None, timeout_seconds=None,
    tag=None, last_run=None, sync_error=None, synced_at=None, deleted_at=LATER,
)  # fmt: skip

BASE = Fields(
    "A", "0 2 * * *", "/bin/a", False, recording(on=True, timeout_seconds=5, no_overlap=False)
)
OURS = Fields(
    "A", "0 3 * * *", "/bin/a", True, recording(on=True, timeout_seconds=None, no_overlap=True)
)
CONFLICT = Change(TAG, ChangeKind.CONFLICT, BASE, OURS, None, None)
PUSH = Change(UUID(int=8), ChangeKind.PUSH, None, OURS, None, OURS)
PULL = Change(UUID(int=9), ChangeKind.PULL, BASE, BASE, OURS, OURS)
SYNCED = SyncResult(
    Plan((CONFLICT, PUSH, PULL)), None, "0 3 * * * /bin/a\n",
    {TAG: 3, UUID(int=8): 4, UUID(int=9): 5}, {4: "Too long."}, 11, [6], [7],
    undone=[UUID(int=9)], notes={5: "MAILTO reaches it."},
)  # fmt: skip

LISTING = Listing(
    [TASK, PLAIN_TASK], {3: State.SYNCED, 4: State.PENDING}, {3: "", 4: "Not yet."}, None, None, AT
)
APPLIED = Applied([TASK], SYNCED, kind="change")
NOT_APPLIED = Applied([PLAIN_TASK], None, UNAVAILABLE, "change")
STATUS = Status(AT, 10, 9, 8, 1, 1, 2, 3, Health.YELLOW, ["1 task not in sync yet: sync now."])
EMPTY_STATUS = Status(None, 0, 0, 0, 0, 0, 0, 0, Health.GREEN, [])

IMPORTED = ImportResult([1, 2], [3], {4: "Managed already."}, {5: "No command."}, (None, "x"))
NOT_TAGGED = replace(IMPORTED, problem=UNAVAILABLE)

OPERATION = Operation(1, "sync", "api", AT, 12.5, "failed", 1, 2, 3, 4, "NOT_FOUND", "Gone.", 5, 6)
DETAILS = OperationDetails(
    2, "sync", "api", LATER, 1.0, "success", 0, 0, 0, 0, None, None, None, None,
    {"pushed": [{"task": 3, "crontab": None}], "some_key": "as it is"},
)  # fmt: skip

REPORT = Report(
    [
        Finding(next(reversed(Discrepancy)), "No schedule.", 3, "x \udcff", 4, TAG),
        Finding(next(iter(Discrepancy)), "Text."),
    ]
)
SNAPSHOT = Snapshot(1, AT, "sync", 2, "0" * 64, 20)
SNAPSHOT_TEXT = SnapshotText(2, LATER, "found", 3, "0" * 64, 20, "0 2 * * * /bin/\udcff\n")

RUN = Run(
    id=1, task=3, task_name="Backup", command=None, name="r-1", started_at=AT, ended_at=LATER,
    exit_code=1, signal=None, user_seconds=0.5, system_seconds=0.25, peak_kb=1024, bytes=10,
    has_output=True, source="recorded", state="failed", slow=True, overlaps=False, missed=0,
    note="",
)  # fmt: skip
MISSED = replace(
    RUN, id=2, task=None, task_name="/bin/a", command="/bin/a", exit_code=None, source="missed",
    state="missed", missed=3, user_seconds=None, system_seconds=None, peak_kb=None, ended_at=AT,
)  # fmt: skip

WHY = Answer(
    "Cron is not running.",
    (Check("cron", Verdict.BAD, "No process.", "Start it.", "systemctl start cron"),
     Check("schedule", Verdict.OK, "Fine.")),
)  # fmt: skip
TOKEN = Token(1, "phone", Role.READ, AT, None)
IDENTITY = Identity("pi", "anna", "1" * 32)
CRONTABS = [Known(1, "pi", "anna", 3, Standing.OURS, "Same machine.")]
