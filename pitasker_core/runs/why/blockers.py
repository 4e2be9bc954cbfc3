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
        return unknown(name, Text("The crontab cannot be read: ", facts.unreadable))
    if entry is None and not task.system_managed:
        return bad(
            name,
            "It is database only, so cron does not run it.",
            "Switch on “In crontab”.",
            f"./pitasker export {task.id}",
        )
    if entry is None:
        why = (" (", task.sync_error, ")") if task.sync_error else ()
        return bad(
            name,
            Text("The installed crontab has no entry for it", *why, "."),
            "Sync, or resolve it under Sync.",
            f"./pitasker sync {task.id}",
        )
    return good(name, f"Its entry is in line {(facts.index or 0) + 1} of the crontab.")


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
            "It is unknown whether cron is running.",
            command=f"systemctl status {facts.unit}",
        )
    if not facts.cron_alive:
        start = f"sudo systemctl enable --now {facts.unit}"
        return bad(name, "Cron is not running.", "Start it.", start)
    return good(name, "The daemon is alive.")


def _lines(facts: Facts) -> Check | None:
    """Debian's daemon ignores the whole file if one line is invalid. Cronie's rule is unknown."""
    name, document = "The whole crontab is valid", facts.document
    if document is None:
        return None
    if not document.invalid_lines:
        return good(name, "Cron accepts every line.")
    at = document.invalid_lines[0]
    line = document.lines[at]
    reason = getattr(line, "reason", "")
    if document.dialect is Dialect.CRONIE:
        return unknown(name, f"Cron refuses line {at + 1}: {reason}.", "Fix that line.")
    return bad(
        name,
        f"Cron refuses line {at + 1}, so it ignores the whole crontab: {reason}.",
        "Fix that line in the raw editor, or make a comment of it.",
        "./pitasker validate",
    )


def _last_line(facts: Facts) -> Check | None:
    name = "The last line is complete"
    if facts.document is None or not facts.document.lines or facts.dialect is Dialect.CRONIE:
        return None
    last = facts.document.lines[-1]
    if last.raw.endswith("\n") or isinstance(last, Blank | Comment):
        return good(name, "The crontab ends with a line end.")
    return bad(
        name,
        "The crontab's last line has no line end, so cron ignores the whole crontab.",
        "Save it in the raw editor, which adds the line end.",
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
            Text("Install the crontab again: ", Code("crontab"), " then makes a regular file."),
            # A file, not a pipe, because a truncated listing would be installed.
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
    return good(name, f"{file.path} is valid.")


def _account(facts: Facts) -> Check:
    name, check = "The account is valid", f"chage -l {quote(facts.user)}"
    if facts.account_problem is None:
        return unknown(name, "It is unknown whether the account has expired.", command=check)
    if facts.account_problem:
        return bad(
            name,
            f"{facts.account_problem}, and cron starts nothing for {facts.user}.",
            "Ask the administrator to renew it.",
            check,
        )
    return good(name, f"The account of {facts.user} has not expired.")


def _complaint(facts: Facts) -> Check | None:
    """An error that cron logged, such as a refusal by PAM or an ignored file."""
    name = "Cron's log"
    if facts.complaint and not facts.started_at:
        at, text = facts.complaint
        return bad(
            name,
            f"Cron logged {facts.when(at)}: {text.rstrip('.')}.",
            "This can keep cron from starting this user's jobs.",
            log_command(facts.unit, facts.local(at) - timedelta(minutes=1)),
        )
    return good(name, "Its log has no errors since then.") if facts.log_is_seen else None


def _schedule(facts: Facts) -> Check:
    name, meaning = "The schedule", facts.meaning
    if meaning is None:
        return bad(name, f"Cron refuses the schedule {facts.task.schedule}.", "Fix it.")
    odd = f" ({'; '.join(meaning.warnings)})" if meaning.warnings else ""
    if meaning.never_runs:
        return bad(
            name,
            f"The schedule {meaning.text} never runs{odd}.",
            "Use dates that exist.",
        )
    if odd:
        words = schedules.describe(meaning)
        return unknown(
            name,
            f"{meaning.text} does not mean what it seems to{odd}: {words}.",
            "Write what you mean.",
        )
    said = f"{schedules.describe(meaning)}{_day_rule(meaning)}"
    times = []
    if facts.due:
        times.append(f"it was last due {facts.when(facts.due)}")
    elif not meaning.reboot:
        times.append(f"it has not been due since it was changed {facts.when(facts.changed_at)}")
    if facts.next:
        times.append(f"it runs next {facts.when(facts.next)}, {ago(facts.next, facts.now)}")
    return good(name, f"{said}: {' and '.join(times)}." if times else f"{said}.")


def _day_rule(meaning: schedules.Schedule) -> str:
    """Cron's rule for the two day fields, if both restrict the days."""
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
