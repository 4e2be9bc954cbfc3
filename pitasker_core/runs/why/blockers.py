"""What keeps cron from starting a task. Pure."""

from datetime import timedelta
from shlex import quote

from pitasker_core.base.clock import ago
from pitasker_core.base.text import Code, Text
from pitasker_core.crontab import schedule as schedules
from pitasker_core.crontab.document import Blank, Comment
from pitasker_core.crontab.schedule import Dialect
from pitasker_core.runs.why.answer import Check, bad, good, log_command, unknown
from pitasker_core.runs.why.facts import Facts


def _wanted(facts: Facts) -> Check:
    name = "In the crontab"
    task, entry = facts.task, facts.entry
    if task.deleted_at:
        return bad(
            name, "The task was deleted.", "Bring it back.", f"./pitasker undo-remove {task.id}"
        )
    if facts.document is None:
        return unknown(name, f"The crontab cannot be read: {facts.unreadable}")
    if entry is None and not task.system_managed:
        return bad(
            name,
            "It is kept in the database only, and nothing runs it.",
            "Switch on “In crontab”.",
            f"./pitasker export {task.id}",
        )
    if entry is None:
        why = f" ({task.sync_error})" if task.sync_error else ""
        return bad(
            name,
            f"The installed crontab has no entry of it{why}.",
            "Sync, or decide under Sync health.",
            f"./pitasker sync {task.id}",
        )
    return good(name, f"Its entry stands in line {(facts.index or 0) + 1} of the crontab.")


def _not_paused(facts: Facts) -> Check | None:
    name, entry, task = "Not paused", facts.entry, facts.task
    if not (entry.paused if entry else task.paused):
        return good(name, "It is switched on.") if entry else None
    until = f" until {facts.time(task.paused_until)}" if task.paused_until else ""
    return bad(name, f"It is paused{until}.", "Switch it on.", f"./pitasker resume {task.id}")


def _cron(facts: Facts) -> Check:
    name = "Cron is running"
    if facts.is_demo:
        return bad(name, "This is the demo, and cron does not run its crontab.")
    if facts.cron_alive is None:
        return unknown(
            name,
            "Whether cron is running cannot be seen from here.",
            command=f"systemctl status {facts.unit}",
        )
    if not facts.cron_alive:
        start = f"sudo systemctl enable --now {facts.unit}"
        return bad(name, "Cron is not running.", "Start it.", start)
    return good(name, "The daemon is alive.")


def _lines(facts: Facts) -> Check | None:
    """Debian's daemon drops the whole file for one bad line; of cronie's that is not known."""
    name, document = "The whole crontab is valid", facts.document
    if document is None:
        return None
    if not document.invalid_lines:
        return good(name, "Cron takes every line of it.")
    at = document.invalid_lines[0]
    line = document.lines[at]
    reason = getattr(line, "reason", "")
    if document.dialect is Dialect.CRONIE:
        return unknown(name, f"Cron does not take line {at + 1}: {reason}.", "Mend that line.")
    return bad(
        name,
        f"Cron does not take line {at + 1}, and leaves out the whole crontab for it: {reason}.",
        "Mend that line in the raw editor, or make a comment of it.",
        "./pitasker validate",
    )


def _last_line(facts: Facts) -> Check | None:
    name = "The last line is complete"
    if facts.document is None or not facts.document.lines or facts.dialect is Dialect.CRONIE:
        return None
    last = facts.document.lines[-1]
    if last.raw.endswith("\n") or isinstance(last, Blank | Comment):
        return good(name, "The crontab ends as cron wants it.")
    return bad(
        name,
        "The crontab's last line has no line end, and cron leaves out the whole crontab for it.",
        "Save it in the raw editor, which ends it.",
        "./pitasker raw get",
    )


def _spool(facts: Facts) -> Check | None:
    name, file = "Cron's file", facts.spooled
    if file is None:
        return None
    if file.is_link or file.links > 1:
        return bad(
            name,
            f"{file.path} is a link, and cron ignores it.",
            Text("Install the crontab anew: ", Code("crontab"), " makes a file of its own."),
            # By a file and no pipe: a listing that is cut short would be installed so.
            'copy=$(mktemp) && crontab -l > "$copy" && crontab "$copy" && rm "$copy"',
        )
    if file.mode != 0o600:
        return bad(
            name,
            f"{file.path} has the mode {file.mode:04o} instead of 0600, and cron ignores it.",
            command=f"chmod 0600 {quote(file.path)}",
        )
    if file.owner not in (facts.user, "root"):
        return bad(
            name,
            f"{file.path} belongs to {file.owner}, and cron ignores it.",
            command=f"chown {quote(facts.user)}:crontab {quote(file.path)}",
        )
    return good(name, f"{file.path} is as cron wants it.")


def _account(facts: Facts) -> Check:
    name, check = "The account is valid", f"chage -l {quote(facts.user)}"
    if facts.account_problem is None:
        return unknown(name, "Whether the account has expired cannot be seen.", command=check)
    if facts.account_problem:
        return bad(
            name,
            f"{facts.account_problem}, and cron starts nothing for {facts.user}.",
            "Ask the administrator to renew it.",
            check,
        )
    return good(name, f"The account of {facts.user} has not expired.")


def _complaint(facts: Facts) -> Check | None:
    """What cron itself said: PAM that let nobody in, a file that it did not take."""
    name = "What cron says"
    if facts.complaint and not facts.started_at:
        at, text = facts.complaint
        return bad(
            name,
            f"Cron logged {facts.when(at)}: {text.rstrip('.')}.",
            "That kept it from the jobs of this user.",
            log_command(facts.unit, facts.local(at) - timedelta(minutes=1)),
        )
    return good(name, "Its log has no complaint since then.") if facts.log_is_seen else None


def _schedule(facts: Facts) -> Check:
    name, meaning = "The schedule", facts.meaning
    if meaning is None:
        return bad(name, f"Cron does not take the schedule {facts.task.schedule}.", "Mend it.")
    odd = f" ({'; '.join(meaning.warnings)})" if meaning.warnings else ""
    if meaning.never_runs:
        return bad(
            name,
            f"The schedule {meaning.text} never comes{odd}.",
            "Give it dates that there are.",
        )
    if odd:
        words = schedules.describe(meaning)
        return unknown(
            name,
            f"{meaning.text} does not mean what it seems to{odd}: {words}.",
            "Write what is meant.",
        )
    said = f"{schedules.describe(meaning)}{_day_rule(meaning)}"
    times = []
    if facts.due:
        times.append(f"it was due last {facts.when(facts.due)}")
    elif not meaning.reboot:
        times.append(f"it was not due since it was changed {facts.when(facts.changed_at)}")
    if facts.next:
        times.append(f"it comes next {facts.when(facts.next)}, {ago(facts.next, facts.now)}")
    return good(name, f"{said}: {' and '.join(times)}." if times else f"{said}.")


def _day_rule(meaning: schedules.Schedule) -> str:
    """cron's rule for the two fields of days, where it decides anything."""
    fields = meaning.text.split()
    if len(fields) != 5 or "*" in (fields[2], fields[4]):
        return ""
    if meaning.both_must_match:
        return " (one of the two day fields begins with *, so both must match)"
    return " (neither of the two day fields begins with *, so one of them is enough)"


CHECKS = (
    _wanted,
    _not_paused,
    _cron,
    _lines,
    _last_line,
    _spool,
    _account,
    _complaint,
    _schedule,
)
