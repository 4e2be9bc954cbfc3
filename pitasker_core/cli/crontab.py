"""Commands of the whole crontab: its text, snapshots, backups, and leaving PiTasker."""

import sys
from pathlib import Path

from pitasker_core import backup
from pitasker_core.base import terminal
from pitasker_core.base.clock import system_zone
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import InvalidSyntax, NotFound
from pitasker_core.base.text import counted, on_one_line
from pitasker_core.cli.answer import Answer, advising, table
from pitasker_core.cli.command import ACTOR, Commands, Words, command, group
from pitasker_core.crontab.document import decode, encode, parse
from pitasker_core.server.answers.problems import error_shape
from pitasker_core.server.answers.sync import RawText, Snapshot, SnapshotText, Synced
from pitasker_core.server.answers.wire import as_json
from pitasker_core.sync import edit, service
from pitasker_core.sync.stop_managing import detach


def add_to(commands: Commands) -> None:
    """Declare these commands."""
    raws = group(commands, "raw", "the whole crontab as text")
    command(raws, "get", _raw_get, "print it, byte for byte")
    put = command(raws, "set", _raw_set, "replace it by a file")
    put.add_argument("file", nargs="?", default="-", help="default: standard input")
    put.add_argument(
        "--if-sha256", metavar="SUM", help="only if the crontab is still the one `raw get` showed"
    )
    put.add_argument("--confirm", action="store_true", help="confirm a mass removal")

    kept = command(commands, "snapshots", _snapshots, "earlier texts of the crontab")
    kept.add_argument("--show", type=int, metavar="ID", help="print the text of a snapshot")

    saved = command(commands, "backup", _backup, "write the database and the crontab to one file")
    saved.add_argument("file")

    back = command(
        commands, "restore", _restore, "go back to a snapshot, or to a file that backup wrote"
    )
    back.add_argument("what", metavar="SNAPSHOT|FILE")
    back.add_argument("--yes", action="store_true", help="confirm that a file replaces everything")
    back.add_argument(
        "--if-sha256", metavar="SUM", help="a snapshot: only if the crontab is the one of this sum"
    )
    back.add_argument(
        "--from",
        dest="source",
        metavar="USER@HOST",
        help="confirm that the file of this other crontab becomes this one",
    )
    back.add_argument("--large", action="store_true", help="confirm a file of more than 2 GiB")

    command(
        commands,
        "detach",
        _detach,
        "remove the recorder from every entry, before leaving PiTasker",
    )


def _raw_get(environment: Environment, words: Words) -> Answer | int:
    text, _ = service.read_crontab(environment)
    if not words.json:
        # The very bytes: a text that is printed may be another.
        terminal.print_bytes([encode(text or "")])
        return 0
    return Answer(RawText.of(text), "")


def _raw_set(environment: Environment, words: Words) -> Answer:
    try:
        data = sys.stdin.buffer.read() if words.file == "-" else Path(words.file).read_bytes()
    except OSError as problem:
        raise NotFound(f"{words.file} cannot be read: {problem.strerror}.") from problem
    based_on, _ = service.read_crontab(environment)
    if words.if_sha256 and RawText.of(based_on).sha256 != words.if_sha256:
        raise edit.changed_since()
    with advising("If that is meant: the same with --confirm. Their tasks stay as database-only."):
        text = decode(data)
        saved = edit.save_raw(environment, text, based_on, actor=ACTOR, confirmed=words.confirm)
    return _saved(saved)


def _snapshots(environment: Environment, words: Words) -> Answer | int:
    found = edit.snapshots(environment)
    if words.show is not None:
        one = edit.snapshot(environment, words.show)
        if not words.json:
            terminal.print_bytes([encode(one.text or "")])
            return 0
        return Answer(SnapshotText.of(one), "")
    zone = system_zone()
    rows = [
        (str(s.id), f"{s.taken_at.astimezone(zone):%Y-%m-%d %H:%M:%S}", str(s.entries), s.reason)
        for s in found
    ]
    shape = {"snapshots": [Snapshot.of(one) for one in found]}
    return Answer(shape, table(("id", "taken", "entries", "why"), rows))


def _backup(environment: Environment, words: Words) -> Answer:
    size = backup.back_up(environment, Path(words.file))
    return Answer({"file": words.file, "bytes": size}, f"Everything is in {words.file}.")


def _restore(environment: Environment, words: Words) -> Answer:
    if not words.what.isdecimal():
        return _restore_archive(environment, words)
    return _saved(edit.restore(environment, int(words.what), actor=ACTOR, shown=words.if_sha256))


def _saved(saved: edit.Saved) -> Answer:
    lines = ["The crontab is as wanted."]
    if saved.backup:
        lines.append(f"What was there before is kept in {saved.backup}.")
    if saved.problem:
        lines.append(f"The tasks do not follow yet. {saved.problem.user_message}")
    data = {
        **as_json(RawText.of(saved.text)),
        "backup": saved.backup,
        **(as_json(Synced.of(saved.result)) if saved.result else {}),
        **error_shape(saved.problem),
    }
    return Answer(data, "\n".join(lines), saved.problem is None)


def _restore_archive(environment: Environment, words: Words) -> Answer:
    contents = backup.read(Path(words.what), None if words.large else backup.UNPACKED_LIMIT)
    if not words.yes:
        when = f"{contents.made_at.astimezone(system_zone()):%Y-%m-%d %H:%M}"
        of = ", ".join(on_one_line(str(source)) for source in contents.sources) or "nobody yet"
        document = parse(contents.crontab or "")
        lacks = [
            f"\n- {on_one_line(line)}"
            for line in backup.preview(environment, contents, words.source)
        ]
        raise InvalidSyntax(
            f"This puts the tasks, their history and the crontab of {of} back to {when} "
            f"(tasks: {contents.rows['tasks']}, entries: {document.size}).",
            "If that is meant: the same with --yes. What is there now is kept in a file."
            + "".join(["\nThis machine lacks what they name:", *lacks] if lacks else []),
        )
    done = backup.restore(environment, ACTOR, contents, words.source)
    lines = [f"Restored. The previous state is in {done.previous}."]
    lines += [f"- {on_one_line(note)}" for note in done.notes]
    if done.problem:
        lines.append(f"The tasks do not follow yet. {done.problem.user_message}")
    data = {
        "kept": str(done.previous),
        "notes": done.notes,
        **error_shape(done.problem),
    }
    return Answer(data, "\n".join(lines), not done.notes and done.problem is None)


def _detach(environment: Environment, words: Words) -> Answer:
    count = detach(environment, ACTOR)
    entries = counted(count, "entry has its", "entries have their")
    return Answer({"detached": count}, f"{entries} plain command again.")
