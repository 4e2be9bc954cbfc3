"""The entry that a crontab is to have, the one check of it, and its line. Pure."""

from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.crontab import schedule as schedules
from pitasker_core.crontab.document import (
    NOT_UTF8,
    Document,
    Entry,
    Invalid,
    Line,
    add_recorder,
    add_tag,
    check_name,
    find_control_character,
    parse_line,
    tag_in,
)
from pitasker_core.crontab.document.tags import why_not_tagged
from pitasker_core.crontab.recording import LONGEST_TIMEOUT, PLAIN, Recorder, Recording
from pitasker_core.crontab.rejection import Rejection
from pitasker_core.crontab.schedule import Dialect, InvalidSchedule

_BLANKS = " \t"


@dataclass(frozen=True, slots=True)
class EntrySpec:
    """An entry as a task wants it in the crontab."""

    name: str | None
    """The comment above the entry. None leaves the line above the entry as it is."""
    schedule: str
    command: str
    tag: UUID | None
    paused: bool = False
    recording: Recording = PLAIN
    recorder: Recorder | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """The parts of an entry's line that its task does not decide."""

    prefix: str = ""
    """What pauses the entry."""
    indent: str = ""
    gap: str = " "
    words: str = ""
    """Text that a person wrote after the tag."""
    ending: str = "\n"


def spec_of(entry: Entry) -> EntrySpec:
    """Return what an entry says. The name is left to the line above."""
    return EntrySpec(
        None,
        entry.schedule,
        entry.command,
        entry.tag,
        entry.paused,
        entry.recording,
        entry.recorder,
    )


def layout_of(entry: Entry, *, paused: bool) -> Layout:
    """Return the layout of an entry that is to be paused, or not."""
    prefix, indent = entry.prefix, entry.indent
    if paused:
        prefix = prefix or "# "
    elif prefix:
        # The blanks before the `#` were the indent of the line before somebody paused it by hand.
        prefix, indent = "", prefix[: prefix.index("#")] + indent
    return Layout(prefix, indent, entry.gap or " ", entry.words, entry.ending)


def check_entry(
    spec: EntrySpec, document: Document, index: int | None = None, *, is_new: bool = False
) -> list[Rejection]:
    """Return every reason why an entry cannot stand at an index (None: at the end).

    `is_new` also refuses what cron accepts but nobody can have meant. An imported entry may have
    that.
    """
    layout = Layout(prefix="# " if spec.paused else "")
    result = render_entry(spec, layout, document, index, is_new=is_new)
    return [] if isinstance(result, Entry) else result


def render_entry(
    spec: EntrySpec,
    layout: Layout,
    document: Document,
    index: int | None,
    *,
    is_new: bool = False,
) -> Entry | list[Rejection]:
    """Return the line of an entry at an index (None: at the end), or why it cannot be written."""
    rejections = _check_fields(spec, document.shell(index), document.dialect, is_new=is_new)
    if rejections:
        return rejections
    result = _write(spec, layout, document.dialect)
    return result if isinstance(result, Entry) else [result]


def _check_fields(
    spec: EntrySpec, shell: str, dialect: Dialect, *, is_new: bool
) -> list[Rejection]:
    rejections = [
        None if spec.name is None else check_name(spec.name),
        check_schedule(spec.schedule, dialect, is_new=is_new),
        _check_command(spec.command, shell, dialect, is_tagged=spec.tag is not None),
        _check_recording(spec, shell, dialect, is_new=is_new),
    ]
    return [rejection for rejection in rejections if rejection]


@lru_cache(maxsize=4096)
def check_schedule(text: str, dialect: Dialect, *, is_new: bool) -> Rejection | None:
    """Return why cron would refuse a schedule, or None.

    `is_new` also refuses a schedule that cron does not read as it is written.
    """
    if character := find_control_character(text, allowed="\t"):
        return Rejection("schedule", f"A schedule cannot contain {character}.")
    try:
        schedule = schedules.parse(text, dialect)
    except InvalidSchedule as problem:
        # Loaded only for a wrong schedule: it understands words.
        from pitasker_core.crontab.understanding import explain_refusal

        return Rejection("schedule", *explain_refusal(text, problem))
    if schedule.warnings and is_new:
        warnings = "; ".join(schedule.warnings)
        message = f"Cron would take this schedule, but not as it reads: {warnings}."
        return Rejection("schedule", message)
    return None


@lru_cache(maxsize=4096)
def _check_command(
    command: str, shell: str, dialect: Dialect, *, is_tagged: bool
) -> Rejection | None:
    if not command.strip(_BLANKS):
        return Rejection("command", "A task needs a command.")
    if command[0] in _BLANKS:
        return Rejection("command", "A command cannot begin with a blank.", "Remove the blank.")
    if character := find_control_character(command, allowed="\t"):
        return _explain_character(command, character)
    if command[0] == "*":
        return Rejection(
            "command",
            "A command cannot begin with *: cron takes it for a sixth field and refuses the line.",
            "A schedule has five fields: check that there is none too many.",
        )
    if tag_in(command):
        return Rejection(
            "command",
            "A command cannot contain # PITASKER_ID: and an id, which mark a task.",
            "Remove that part: PiTasker adds the tag by itself.",
        )
    reason = why_not_tagged(command, shell, dialect) if is_tagged else None
    return Rejection("command", reason) if reason else None


def _explain_character(command: str, character: str) -> Rejection:
    if character == NOT_UTF8:
        return Rejection(
            "command",
            f"A task's command cannot contain {character}.",
            "Such an entry can only stay as it is, or be written again in UTF-8.",
        )
    return Rejection(
        "command",
        f"A command cannot contain {character}: it must be one line of a crontab.",
        "“Fix the line end” on the Sync page removes it."
        if command.endswith("\r")
        else "For several steps write a script, or join them with && or ;.",
    )


def _check_recording(
    spec: EntrySpec, shell: str, dialect: Dialect, *, is_new: bool
) -> Rejection | None:
    seconds = spec.recording.timeout_seconds
    if is_new and seconds is not None and not 1 <= seconds <= LONGEST_TIMEOUT:
        return Rejection("recording", f"A time limit is 1 to {LONGEST_TIMEOUT} seconds, or none.")
    if spec.recorder is None or not spec.recording.on:
        return None
    if shell.rsplit("/", 1)[-1] == "python3":
        return Rejection("recording", f"SHELL is {shell}, which cannot start the recorder.")
    try:
        command = add_recorder(spec.command, spec.recorder, spec.recording)
    except InvalidSyntax as problem:
        return Rejection("recording", problem.message, problem.advice)
    reason = why_not_tagged(command, shell, dialect)
    return Rejection("recording", f"To record its runs: {reason}") if reason else None


def _write(spec: EntrySpec, layout: Layout, dialect: Dialect) -> Entry | Rejection:
    """Write the line, and read it by the grammar that cron reads it with: that is the proof."""
    command = spec.command
    if spec.recorder:
        command = add_recorder(command, spec.recorder, spec.recording)
    if spec.tag:
        command = add_tag(command, spec.tag, layout.words)
    body = layout.indent + spec.schedule + layout.gap + command + layout.ending
    line = parse_line(layout.prefix + body, dialect)
    if isinstance(line, Entry) and says(line, spec) and line.words == layout.words:
        return line
    return Rejection("entry", _explain_reading(parse_line(body, dialect)))


def says(entry: Entry, spec: EntrySpec) -> bool:
    """Return whether an entry says all of a spec. Who records its runs is no part of that."""
    recording = spec.recording if spec.recording.on else PLAIN
    return (
        entry.schedule == spec.schedule
        and entry.command == spec.command
        and entry.tag == spec.tag
        and entry.paused == spec.paused
        and entry.recording == recording
    )


def _explain_reading(line: Line) -> str:
    """Return why a line is not the entry that was meant."""
    if isinstance(line, Invalid):
        return line.explanation
    if isinstance(line, Entry):
        return "This schedule and command would be read back as something else."
    return "cron would read this schedule and command as something other than an entry."
