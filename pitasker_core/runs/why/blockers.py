"""What keeps cron from starting a task. Pure."""

from datetime import timedelta
from shlex import quote

from pitasker_core.base.clock import ago
from pitasker_core.base.text import Text, marked
from pitasker_core.crontab import schedule as schedules
from pitasker_core.crontab.document import Blank, Comment
from pitasker_core.crontab.schedule import Dialect
from pitasker_core.runs.why.answer import Result, bad, good, log_command, unknown
from pitasker_core.runs.why.facts import Checks, Facts


def _wanted(facts: Facts) -> Result:
    task, entry = facts.task, facts.entry
    if task.deleted_at:
        return bad("The task was deleted.", "Bring it back.", f"./pitasker undo-remove {task.id}")
    if facts.document is None:
        return unknown(Text("The crontab cannot be read: ", facts.unreadable))
    if entry is None and not task.system_managed:
        return bad(
            "It is database only, so cron does not run it.",
            "Switch on “In crontab”.",
            f"./pitasker export {task.id}",
        )
    if entry is None:
        why = (" (", task.sync_error, ")") if task.sync_error else ()
        return bad(
            Text("The installed crontab has no entry for it", *why, "."),
            "Sync, or resolve it under Sync.",
            f"./pitasker sync {task.id}",
        )
    return good(f"Its entry is in line {(facts.index or 0) + 1} of the crontab.")


def _not_paused(facts: Facts) -> Result | None:
    entry, task = facts.entry, facts.task
    if not (entry.paused if entry else task.paused):
        return good("It is switched on.") if entry else None
    until = f" until {facts.time(task.paused_until)}" if task.paused_until else ""
    return bad(f"It is paused{until}.", "Switch it on.", f"./pitasker resume {task.id}")


def _cron(facts: Facts) -> Result:
    if facts.is_demo:
        return bad("This is the demo, and cron does not run its crontab.")
    if facts.cron_alive is None:
        return unknown(
            "It is unknown whether cron is running.", command=f"systemctl status {facts.unit}"
        )
    if not facts.cron_alive:
        start = f"sudo systemctl enable --now {facts.unit}"
        return bad("Cron is not running.", "Start it.", start)
    return good("The daemon is alive.")


def _lines(facts: Facts) -> Result | None:
    """Debian's daemon ignores the whole file if one line is invalid. Cronie's rule is unknown."""
    document = facts.document
    if document is None:
        return None
    if not document.invalid_lines:
        return good("Cron accepts every line.")
    at = document.invalid_lines[0]
    line = document.lines[at]
    reason = getattr(line, "reason", "")
    if document.dialect is Dialect.CRONIE:
        return unknown(f"Cron refuses line {at + 1}: {reason}.", "Fix that line.")
    return bad(
        f"Cron refuses line {at + 1}, so it ignores the whole crontab: {reason}.",
        "Fix that line in the raw editor, or make a comment of it.",
        "./pitasker validate",
    )


def _last_line(facts: Facts) -> Result | None:
    if facts.document is None or not facts.document.lines or facts.dialect is Dialect.CRONIE:
        return None
    last = facts.document.lines[-1]
    if last.raw.endswith("\n") or isinstance(last, Blank | Comment):
        return good("The crontab ends with a line end.")
    return bad(
        "The crontab's last line has no line end, so cron ignores the whole crontab.",
        "Save it in the raw editor, which adds the line end.",
        "./pitasker raw get",
    )


def _spool(facts: Facts) -> Result | None:
    file = facts.spooled
    if file is None:
        return None
    if file.is_link or file.links > 1:
        return bad(
            f"{file.path} is a link, and cron ignores it.",
            marked("Install the crontab again: `crontab` then makes a regular file."),
            # A file, not a pipe, because a truncated listing would be installed.
            'copy=$(mktemp) && crontab -l > "$copy" && crontab "$copy" && rm "$copy"',
        )
    if file.mode != 0o600:
        return bad(
            f"{file.path} has the mode {file.mode:04o} instead of 0600, and cron ignores it.",
            command=f"chmod 0600 {quote(file.path)}",
        )
    if file.owner not in (facts.user, "root"):
        return bad(
            f"{file.path} belongs to {file.owner}, and cron ignores it.",
            command=f"chown {quote(facts.user)}:crontab {quote(file.path)}",
        )
    return good(f"{file.path} is valid.")


def _account(facts: Facts) -> Result:
    check = f"chage -l {quote(facts.user)}"
    if facts.account_problem is None:
        return unknown("It is unknown whether the account has expired.", command=check)
    if facts.account_problem:
        return bad(
            f"{facts.account_problem}, and cron starts nothing for {facts.user}.",
            "Ask the administrator to renew it.",
            check,
        )
    return good(f"The account of {facts.user} has not expired.")


def _complaint(facts: Facts) -> Result | None:
    """An error that cron logged, such as a refusal by PAM or an ignored file."""
    if facts.complaint and not facts.started_at:
        at, text = facts.complaint
        return bad(
            f"Cron logged {facts.when(at)}: {text.rstrip('.')}.",
            "This can keep cron from starting this user's jobs.",
            log_command(facts.unit, facts.local(at) - timedelta(minutes=1)),
        )
    return good("Its log has no errors since then.") if facts.log_is_seen else None


def _schedule(facts: Facts) -> Result:
    meaning = facts.meaning
    if meaning is None:
        return bad(f"Cron refuses the schedule {facts.task.schedule}.", "Fix it.")
    odd = f" ({'; '.join(meaning.warnings)})" if meaning.warnings else ""
    if meaning.never_runs:
        return bad(f"The schedule {meaning.text} never runs{odd}.", "Use dates that exist.")
    if odd:
        words = schedules.describe(meaning)
        return unknown(
            f"{meaning.text} does not mean what it seems to{odd}: {words}.", "Write what you mean."
        )
    said = f"{schedules.describe(meaning)}{_day_rule(meaning)}"
    times = []
    if facts.due:
        times.append(f"it was last due {facts.when(facts.due)}")
    elif not meaning.reboot:
        times.append(f"it has not been due since it was changed {facts.when(facts.changed_at)}")
    if facts.next:
        times.append(f"it runs next {facts.when(facts.next)}, {ago(facts.next, facts.now)}")
    return good(f"{said}: {' and '.join(times)}." if times else f"{said}.")


def _day_rule(meaning: schedules.Schedule) -> str:
    """Cron's rule for the two day fields, if both restrict the days."""
    fields = meaning.text.split()
    if len(fields) != 5 or "*" in (fields[2], fields[4]):
        return ""
    if meaning.both_must_match:
        return " (one of the two day fields begins with *, so both must match)"
    return " (neither of the two day fields begins with *, so one of them is enough)"


CHECKS: Checks = {
    "In the crontab": _wanted,
    "Not paused": _not_paused,
    "Cron is running": _cron,
    "The whole crontab is valid": _lines,
    "The last line is complete": _last_line,
    "Cron's file": _spool,
    "The account is valid": _account,
    "Cron's log": _complaint,
    "The schedule": _schedule,
}
