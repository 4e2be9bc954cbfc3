from pathlib import Path

from pitasker_core import backup
from pitasker_core.base.clock import system_zone
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.base.text import as_id, counted, on_one_line
from pitasker_core.cli.answer import Answer, advising, raw, table
from pitasker_core.cli.command import ACTOR, Commands, Words, command, group, switch
from pitasker_core.cli.files import read_file
from pitasker_core.crontab.document import decode, encode, parse
from pitasker_core.server.answers.problems import error_shape
from pitasker_core.server.answers.sync import RawText, Snapshot, SnapshotText, Synced
from pitasker_core.server.answers.wire import as_json
from pitasker_core.sync import edit, service
from pitasker_core.sync.stop_managing import detach


def add_to(commands: Commands) -> None:
    text = group(commands, "raw")
    command(text, "get", _raw_get, "print the crontab, byte for byte")
    put = command(text, "set", _raw_set, "replace the crontab by a file")
    put.add_argument("file", nargs="?", default="-", help="default: standard input")
    put.add_argument(
        "--if-sha256", metavar="SUM", help="only if the crontab's text has this checksum"
    )
    switch(put, "--confirm", "confirm a mass removal")

    snapshots = command(commands, "snapshots", _snapshots)
    snapshots.add_argument("--show", type=int, metavar="ID", help="print the text of a snapshot")

    command(commands, "backup", _backup).add_argument("file")

    restore = command(commands, "restore", _restore)
    restore.add_argument("what", metavar="SNAPSHOT|FILE")
    switch(restore, "--yes", "confirm that a file replaces everything")
    restore.add_argument(
        "--if-sha256",
        metavar="SUM",
        help="for a snapshot: only if the crontab's text has this checksum",
    )
    restore.add_argument(
        "--from",
        dest="source",
        metavar="USER@HOST",
        help="restore the rows of this other crontab in the file",
    )
    switch(restore, "--large", "confirm a file of more than 2 GiB")

    command(commands, "detach", _detach)


def _raw_get(environment: Environment, words: Words) -> Answer | int:
    text, _ = service.read_crontab(environment)
    # Printing text could change its bytes.
    return raw(words, [encode(text or "")], RawText.of(text))


def _raw_set(environment: Environment, words: Words) -> Answer:
    data = read_file(words.file)
    based_on, _ = service.read_crontab(environment)
    if words.if_sha256 and RawText.of(based_on).sha256 != words.if_sha256:
        raise edit.changed_since()
    with advising("To confirm, add --confirm. The tasks become database-only."):
        text = decode(data)
        saved = edit.save_raw(environment, text, based_on, actor=ACTOR, confirmed=words.confirm)
    return _saved(saved)


def _snapshots(environment: Environment, words: Words) -> Answer | int:
    if words.show is not None:
        snapshot = edit.snapshot(environment, words.show)
        return raw(words, [encode(snapshot.text or "")], SnapshotText.of(snapshot))
    snapshots = edit.snapshots(environment)
    zone = system_zone()
    rows = [
        (str(s.id), f"{s.taken_at.astimezone(zone):%Y-%m-%d %H:%M:%S}", str(s.entries), s.reason)
        for s in snapshots
    ]
    data = {"snapshots": [Snapshot.of(snapshot) for snapshot in snapshots]}
    return Answer(data, table(("id", "taken", "entries", "why"), rows))


def _backup(environment: Environment, words: Words) -> Answer:
    size = backup.back_up(environment, Path(words.file))
    return Answer({"file": words.file, "bytes": size}, f"The backup is in {words.file}.")


def _restore(environment: Environment, words: Words) -> Answer:
    snapshot = as_id(words.what)
    if snapshot is None:
        return _restore_file(environment, words)
    return _saved(edit.restore(environment, snapshot, actor=ACTOR, shown=words.if_sha256))


def _saved(saved: edit.Saved) -> Answer:
    lines = ["The crontab is saved."]
    if saved.backup:
        lines.append(f"The previous text is in {saved.backup}.")
    if saved.problem:
        lines.append(f"The tasks are not updated yet. {saved.problem.user_message}")
    data = {
        **as_json(RawText.of(saved.text)),
        "backup": saved.backup,
        **(as_json(Synced.of(saved.result)) if saved.result else {}),
        **error_shape(saved.problem),
    }
    return Answer(data, "\n".join(lines), saved.problem is None)


def _restore_file(environment: Environment, words: Words) -> Answer:
    contents = backup.read(Path(words.what), None if words.large else backup.UNPACKED_LIMIT)
    if not words.yes:
        when = f"{contents.made_at.astimezone(system_zone()):%Y-%m-%d %H:%M}"
        owners = ", ".join(on_one_line(str(source)) for source in contents.sources) or "nobody"
        document = parse(contents.crontab or "")
        missing = [
            f"\n- {on_one_line(line)}"
            for line in backup.preview(environment, contents, words.source)
        ]
        raise InvalidSyntax(
            f"This restores the tasks, history and crontab of {owners} from {when} "
            f"(tasks: {contents.rows['tasks']}, entries: {document.size}).",
            "To confirm, add --yes. The present state is first saved to a file."
            + "".join(["\nThis machine lacks:", *missing] if missing else []),
        )
    done = backup.restore(environment, ACTOR, contents, words.source)
    lines = [f"Restored. The previous state is in {done.previous}."]
    lines += [f"- {on_one_line(note)}" for note in done.notes]
    if done.problem:
        lines.append(f"The tasks are not updated yet. {done.problem.user_message}")
    data = {"kept": str(done.previous), "notes": done.notes, **error_shape(done.problem)}
    return Answer(data, "\n".join(lines), not done.notes and done.problem is None)


def _detach(environment: Environment, words: Words) -> Answer:
    count = detach(environment, ACTOR)
    entries = counted(count, "entry has its", "entries have their")
    return Answer({"detached": count}, f"{entries} plain command again.")
