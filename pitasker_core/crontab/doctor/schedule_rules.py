from pitasker_core.crontab import schedule as schedules
from pitasker_core.crontab.calendar import clock_notes
from pitasker_core.crontab.doctor.finding import Fix, Problem, high, low, medium
from pitasker_core.crontab.doctor.rule import rule
from pitasker_core.crontab.doctor.subject import Subject
from pitasker_core.crontab.schedule import Schedule

_CROWD = 5
"""So many entries in one minute are too many for a small machine."""
_EVERY = {"minute": 60, "hour": 24}


@rule(
    "The schedule never fires",
    example="0 5 31 2 * /home/pi/backup.sh",
    better="0 5 28 2 * /home/pi/backup.sh",
)
def never_runs(subject: Subject) -> Problem | None:
    """No date and time fits the schedule: a date that never comes, such as 31 February, or a range
    that runs backward, such as `22-2`, which selects nothing."""
    schedule = subject.schedule
    if not schedule.never_runs:
        return None
    why = "; ".join(schedule.warnings) or "no date and time fits it"
    return high(
        f"Cron never runs this job: {why}.",
        schedule.text,
        "Correct the schedule.",
        fix=_backward_ranges_turned(schedule),
    )


def _backward_ranges_turned(schedule: Schedule) -> Fix | None:
    suggestion = schedules.suggest(schedule.text)
    if suggestion is None or suggestion == schedule.text:
        return None
    return Fix(f"Write {suggestion}", schedule=suggestion)


@rule(
    "Cron ignores a part of the schedule",
    example="5~10 5 * * * /home/pi/backup.sh",
    better="5-10 5 * * * /home/pi/backup.sh",
)
def odd_schedule(subject: Subject) -> Problem | None:
    """Debian's cron takes some schedules that nobody means. It skips what follows a good value
    (`5~10` is 5), and it reads a backward range, or a step that is larger than its range, in its
    own way."""
    warnings = subject.schedule.warnings
    if not warnings or subject.schedule.never_runs:
        return None
    sentence = "; ".join(warnings)
    return medium(
        f"{sentence[0].upper()}{sentence[1:]}.",
        subject.schedule.text,
        "Write the schedule as cron reads it.",
    )


@rule(
    "Day of month and day of week together",
    example="0 5 13 * 5 /home/pi/backup.sh",
    better="0 5 * * 5 /home/pi/backup.sh",
)
def day_and_weekday(subject: Subject) -> Problem | None:
    """If both fields are restricted, cron runs the job when one of them matches: `0 5 13 * 5` is
    every Friday and every 13th. Only if one of them begins with `*`, as `*/2` does, both must
    match. For Friday the 13th write `0 5 13 * *` and test the weekday in the command:
    `[ "$(date +\\%u)" = 5 ] && …`."""
    schedule = subject.schedule
    fields = schedule.text.split()
    if schedule.never_runs or len(fields) != 5 or "*" in (fields[2], fields[4]):
        return None
    evidence = f"{fields[2]} … {fields[4]}"
    if schedule.both_must_match:
        return low(
            f"One of the two fields begins with *, so both must match: {_words(schedule)}.",
            evidence,
            "Check that this is meant.",
        )
    return medium(
        f"Cron runs the job when either field matches: {_words(schedule)}.",
        evidence,
        "Put * into one of the two fields, or test the weekday in the command.",
    )


def _words(schedule: Schedule) -> str:
    words = schedules.describe(schedule)
    return words[0].lower() + words[1:]


@rule(
    "The job runs every minute of the hour",
    example="* 3 * * * /home/pi/backup.sh",
    better="0 3 * * * /home/pi/backup.sh",
)
def every_minute(subject: Subject) -> Problem | None:
    """`* 3 * * *` is not “at 3”: it is every minute from 3:00 to 3:59, 60 times. Write `0 3 * * *`
    for once."""
    schedule = subject.schedule
    fields = schedule.text.split()
    if len(schedule.minutes) < 60 or schedule.never_runs:
        return None
    is_every_hour = len(schedule.hours) == 24
    is_every_day = fields[2:] == ["*", "*", "*"]
    if is_every_hour and is_every_day:
        return None
    hour = "0" if is_every_hour else fields[1]
    once = " ".join(["0", hour, *fields[2:]])
    report = medium if is_every_hour or len(schedule.hours) == 1 else low
    count = 60 * len(schedule.hours)
    return report(
        f"The job runs {count} times on its day: {_words(schedule)}.",
        fields[0],
        f"Write {once} if that is not meant.",
        fix=Fix(f"Write {once}", schedule=once),
    )


@rule(
    "The step does not divide the hour or the day",
    example="*/45 * * * * /home/pi/backup.sh",
    better="*/30 * * * * /home/pi/backup.sh",
)
def uneven_step(subject: Subject) -> Problem | None:
    """A step begins again at each full hour, or at midnight: `*/45` is minute 0 and 45, so 45 and
    15 minutes apart. Cron has no steps across the hour."""
    fields = subject.schedule.text.split()
    for field, (name, whole) in zip(fields[:2], _EVERY.items(), strict=False):
        step = field.removeprefix("*/")
        if step == field or not step.isdecimal() or len(step) > 2:
            continue
        number = int(step)
        if 1 < number < whole and whole % number:
            last = (whole - 1) // number * number
            return low(
                f"{field} is not every {number} {name}s: after {name} {last} it begins again at 0.",
                field,
                f"Take a step that divides {whole}.",
            )
    return None


@rule(
    "The time is skipped or repeated",
    example="*/30 2 * * * /home/pi/backup.sh",
    better="*/30 4 * * * /home/pi/backup.sh",
)
def clock_change(subject: Subject) -> Problem | None:
    """When summer time begins, an hour is missing, and when it ends, an hour comes twice. Debian's
    cron starts a job with fixed times once in either case, if later. A job with `*` in minute or
    hour is left out in the missing hour and runs in both of the others."""
    for note in clock_notes(subject.schedule, subject.facts.clock_changes):
        report = medium if note.change.is_forward and subject.schedule.is_wildcard else low
        return report(note.text, note.time, "Choose an hour in which the clock does not change.")
    return None


@rule(
    "The same job stands in two lines",
    example="0 5 * * * /home/pi/backup.sh\n0 5 * * * /home/pi/backup.sh",
    better="0 5 * * * /home/pi/backup.sh",
)
def duplicate(subject: Subject) -> Problem | None:
    """Another line has the same schedule and command, so cron runs the job twice."""
    line = subject.neighbours.same
    if line is None:
        return None
    return medium(
        f"The entry in line {line} has the same schedule and command, so cron runs it twice.",
        advice="Remove one of the two.",
    )


@rule(
    "Two lines run the same command in the same minute",
    example="0 5 * * * /home/pi/backup.sh\n0 * * * * /home/pi/backup.sh > /dev/null",
    better="0 5 * * * /home/pi/backup.sh\n0 17 * * * /home/pi/backup.sh",
)
def near_duplicate(subject: Subject) -> Problem | None:
    """Another line has the same command, but for blanks and redirections, and a schedule that
    shares a minute with this one. Then cron starts the command twice at once."""
    line = subject.neighbours.similar
    if line is None or subject.neighbours.same is not None:
        return None
    return medium(
        f"The entry in line {line} runs the same command, and both start in the same minute.",
        advice="Remove one of the two, or change a schedule.",
    )


@rule(
    "Many jobs start in the same minute",
    example="\n".join(f"0 0 * * * /home/pi/backup.sh {n}" for n in range(1, 6)),
    better="\n".join(f"{7 * n} 0 * * * /home/pi/backup.sh {n}" for n in range(1, 6)),
)
def crowded_minute(subject: Subject) -> Problem | None:
    """Five or more jobs start at once. A small machine becomes slow, and each of them takes longer.
    Choose different minutes."""
    neighbours = subject.neighbours
    if neighbours.crowd < _CROWD:
        return None
    time = f"{neighbours.crowded_at // 60:02}:{neighbours.crowded_at % 60:02}"
    return low(
        f"{neighbours.crowd} jobs start at {time}.",
        subject.schedule.text,
        "Choose another minute.",
        fix=_moved(subject),
    )


def _moved(subject: Subject) -> Fix | None:
    minute = subject.neighbours.free_minute
    if minute is None or len(subject.schedule.minutes) != 1:
        return None
    moved = " ".join([str(minute), *schedules.fields_of(subject.schedule.text)[1:]])
    return Fix(f"Start at minute {minute}", schedule=moved)


@rule(
    "The job takes longer than its interval",
    example="* * * * * /home/pi/slow.sh",
    better="0 * * * * /home/pi/slow.sh",
)
def longer_than_interval(subject: Subject) -> Problem | None:
    """The runs usually take longer than the time to the next one, so several go on at once. Run it
    less often, or let a run wait for the one before: `flock -n LOCK COMMAND`, or “no overlap” in
    PiTasker."""
    entry = subject.entry
    seconds = subject.facts.typical_seconds.get(entry.tag) if entry.tag else None
    if seconds is None or entry.recording.no_overlap or "flock" in subject.programs:
        return None
    interval = _shortest_interval(subject.schedule)
    if interval is None or seconds < interval * 60:
        return None
    return medium(
        f"Its runs usually take {_duration(seconds)}, and it starts again after "
        f"{_duration(interval * 60)}.",
        subject.schedule.text,
        "Run it less often, or switch on “no overlap”.",
    )


def _shortest_interval(schedule: Schedule) -> int | None:
    """Minutes between two starts of one day, at the least; a day where there is only one."""
    starts = [hour * 60 + minute for hour in schedule.hours for minute in schedule.minutes]
    if not starts:
        return None
    following = [*starts[1:], starts[0] + 1440]
    return min(later - earlier for earlier, later in zip(starts, following, strict=True))


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


RULES = (
    never_runs,
    odd_schedule,
    day_and_weekday,
    every_minute,
    uneven_step,
    clock_change,
    duplicate,
    near_duplicate,
    crowded_minute,
    longer_than_interval,
)
