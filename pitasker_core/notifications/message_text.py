from collections import Counter
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from pitasker_core.base import clock
from pitasker_core.base.identity import Identity
from pitasker_core.base.text import counted
from pitasker_core.database.tables import RunRow
from pitasker_core.notifications import wording
from pitasker_core.notifications.outbox import Message, Subject, Waiting
from pitasker_core.notifications.rules import Rules

_DIGEST_LINES = 50


def fill_message(
    session: Session, notice_rules: Rules, message: Message, us: Identity
) -> tuple[str, str]:
    """The title and the body of a message."""
    if message.is_digest:
        return _digest(message, us)
    newest = message.newest
    values = {
        **place_values(us),
        "task": _name(newest),
        "kind": wording.WORDS[newest.kind],
        "message": _message_text(message),
        "time": time_text(newest.at),
        "output": "",
    }
    if newest.run is not None and "{output}" in notice_rules.title + notice_rules.body:
        output = session.scalar(select(RunRow.output).where(RunRow.id == newest.run))
        values["output"] = wording.last_lines(output)
    return wording.fill(notice_rules.title, values), wording.fill(notice_rules.body, values)


def _message_text(message: Message) -> str:
    """The newest notice, and how many earlier ones there were."""
    newest = message.newest
    before = message.notices[:-1]
    same = [notice for notice in before if notice.kind is newest.kind]
    failed = [notice for notice in before if notice.kind is not newest.kind]
    parts = [newest.message]
    if failed:
        parts.append(f"Before that it failed {_times(len(failed))}: {failed[-1].message}")
    if same:
        parts.append(f"And {_more(len(same))} since {time_text(same[0].at)}.")
    return " ".join(parts)


def _digest(message: Message, us: Identity) -> tuple[str, str]:
    """A digest: one line for each kind and task."""
    groups: dict[Subject, list[Waiting]] = {}
    for notice in message.notices:
        groups.setdefault(notice.subject, []).append(notice)
    lines = []
    for same in groups.values():
        more = f" And {_more(len(same) - 1)}." if len(same) > 1 else ""
        kind = wording.WORDS[same[-1].kind]
        lines.append(
            f"{time_text(same[-1].at)} {_name(same[-1])}: {kind}. {same[-1].message}{more}"
        )
    if len(lines) > _DIGEST_LINES:
        lines[_DIGEST_LINES:] = [f"and {len(lines) - _DIGEST_LINES} others"]
    counts = Counter(wording.WORDS[notice.kind] for notice in message.notices)
    summary = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    return f"{us.host}: {summary}", "\n".join(lines)


def _name(notice: Waiting) -> str:
    return notice.task_name or "The crontab"


def place_values(us: Identity) -> dict[str, str]:
    """The values of the placeholders for the machine and the user."""
    return {"host": us.host, "user": us.user}


def time_text(moment: datetime) -> str:
    """A moment in the machine's time zone."""
    return f"{moment.astimezone(clock.system_zone()):%Y-%m-%d %H:%M:%S}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _more(count: int) -> str:
    return counted(count, "more time")
