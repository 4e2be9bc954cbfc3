"""Facts about the machine that rules judge by. A fact that is missing here is unknown to the rules.
Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from uuid import UUID

ABSENT = "No such file or directory"
"""The problem of a file that does not exist."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A file or folder, as the user who runs the job sees it."""

    path: str
    problem: str = ""
    """Why it cannot be reached, in the system's words."""
    is_folder: bool = False
    readable: bool = True
    executable: bool = True
    writable: bool = True
    first_line: bytes = b""
    """The beginning of the first line."""
    lacks: str = ""
    """The program that its first line names, if that is missing."""
    looked_up: str = ""
    """The name that its first line lets `env` look up on the PATH."""
    world_writable: bool = False
    in_world_writable_folder: bool = False
    """Anybody may put another file in its place. A folder with the sticky bit does not count."""
    in_temporary_folder: bool = False
    """Its folder is world-writable with the sticky bit, as /tmp is."""

    @property
    def is_missing(self) -> bool:
        """Whether nothing is there, as far as this user sees."""
        return bool(self.problem)

    def is_unusable(self, *, by_other_user: bool) -> bool:
        """Whether no program can be there for the user who reaches it."""
        if self.is_folder:
            return True
        # What is out of our reach may be within the reach of root.
        return self.problem == ABSENT if by_other_user else self.is_missing


@dataclass(frozen=True, slots=True)
class ClockChange:
    """A jump of the machine's clock: `start` to `end`, in minutes of the local day."""

    day: date
    start: int
    end: int
    is_forward: bool
    """Forward, the time in between does not exist; backward, it comes twice."""

    def instant(self, zone: tzinfo) -> datetime:
        """The moment of the jump, in UTC. `zone` is that of the clock."""
        midnight = datetime.combine(self.day, time())
        wall = midnight + timedelta(minutes=self.start)
        return wall.replace(tzinfo=zone, fold=0 if self.is_forward else 1).astimezone(UTC)


@dataclass(frozen=True)
class MachineFacts:
    """Facts about the machine, its user and the runs. Empty and None stand for unknown."""

    user: str = ""
    home: str = ""
    """The user's home by the password file."""
    is_root: bool = False
    users: frozenset[str] = frozenset()
    """The names of accounts that a person may have put into a line."""
    homes: Mapping[str, str] = field(default_factory=dict)
    """The home folders of other people, each with its user."""
    files: Mapping[str, FileFacts] = field(default_factory=dict)
    """By absolute path."""
    programs: Mapping[tuple[str, str], str | None] = field(default_factory=dict)
    """Where a name is on a PATH; None when it is not there."""
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    """Where programs are that are not on cron's PATH."""
    shells: Mapping[str, str] = field(default_factory=dict)
    """The program that a SHELL really is, links followed: `/bin/sh` may be `dash`."""
    unmounted: Mapping[str, bool] = field(default_factory=dict)
    """Mount points of /etc/fstab where nothing is mounted; True for those mounted on demand."""
    permanent: frozenset[str] = frozenset()
    """Mount points of /etc/fstab that are mounted at each boot, and are mounted now."""
    separate: frozenset[str] = frozenset()
    """Mount points that come after the boot begins: network file systems and removable media."""
    has_mail_program: bool | None = None
    zone: tzinfo | None = None
    now: datetime | None = None
    clock_changes: tuple[ClockChange, ...] = ()
    """Those of the next twelve months."""
    typical_seconds: Mapping[UUID, float] = field(default_factory=dict)
    """How long the runs of an entry usually take, by its tag."""


NOTHING_KNOWN = MachineFacts()
"""For a crontab of another machine: only the text is judged."""
