"""The Backup part of the settings: download a backup, and restore a backup."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import streamlit as st

from pitasker_core import backup
from pitasker_core.backup import Contents, Restored
from pitasker_core.base import clock
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import PiTaskerError, explained
from pitasker_core.base.text import Text, counted
from pitasker_core.crontab.difference import difference
from pitasker_core.crontab.document import parse
from pitasker_core.dashboard.fresh_keys import begin_again, widget_key
from pitasker_core.dashboard.markdown import plain
from pitasker_core.dashboard.messages import act, add_notice
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.dashboard.times import time_text
from pitasker_core.dashboard.write_button import write_button
from pitasker_core.sync import service

LARGEST_UPLOAD = 1
"""Megabytes, the limit of the server."""


def show() -> None:
    """Draw the part."""
    st.markdown("**Back up**")
    st.caption(
        "The backup is a file with your crontab, tasks, runs and history. It has no passwords for "
        "signing in. Commands may contain secrets, so keep the file private."
    )
    st.download_button(
        "Download a backup",
        _writer(environment()),
        file_name=f"pitasker-{clock.now().astimezone(clock.system_zone()):%Y-%m-%d}.tar.gz",
        mime="application/gzip",
        icon=":material/download:",
        on_click="ignore",
        disabled=environment().read_only,
    )
    st.markdown("**Restore**")
    st.caption(
        "First you see the contents of the backup and what would change. PiTasker saves the "
        f"present state to a file. Restore a backup of more than {LARGEST_UPLOAD} MB on the "
        "command line."
    )
    upload = st.file_uploader(
        "A PiTasker backup (.tar.gz)",
        key=widget_key("restore"),
        max_upload_size=LARGEST_UPLOAD,
        disabled=environment().read_only,
    )
    if upload is not None:
        try:
            _with_contents(upload.getvalue(), _show_preview)
        except PiTaskerError as problem:
            st.error(plain(problem.user_message), icon=":material/error:")


def _writer(mine: Environment) -> Callable[[], bytes]:
    def write() -> bytes:
        with _private_file(mine) as file:
            backup.back_up(mine, file)
            return file.read_bytes()

    return write


@contextmanager
def _private_file(mine: Environment) -> Iterator[Path]:
    """Give a path in a temporary folder that only the owner can read. Raises ExecutionError."""
    with explained("The backup's file cannot be used"):
        mine.make_home()
        with TemporaryDirectory(dir=mine.home) as folder:
            yield Path(folder) / "backup.tar.gz"


def _with_contents(data: bytes, use: Callable[[Contents, bytes], object]) -> None:
    """Write a backup's bytes to a temporary file, read it, and call `use`."""
    with _private_file(environment()) as file:
        file.write_bytes(data)
        use(backup.read(file), data)


def summary(contents: Contents) -> str:
    """Return the contents of a backup as a sentence."""
    owners = ", ".join(map(str, contents.sources)) or "nobody"
    entries = parse(contents.crontab or "").size
    return (
        f"The backup of {owners}, {time_text(contents.made_at)}: "
        f"{counted(contents.rows['tasks'], 'task')}, {counted(contents.rows['runs'], 'run')}, "
        f"{counted(entries, 'entry', 'entries')} in the crontab."
    )


def _show_preview(contents: Contents, data: bytes) -> None:
    missing = backup.preview(environment(), contents)
    now, _ = service.read_crontab(environment())
    proof = difference(now, contents.crontab)
    with st.container(border=True, key="restore-preview"):
        st.markdown(plain(summary(contents)))
        st.caption(plain(f"The crontab: {proof}."))
        if proof:
            st.code(proof.text, language="diff", wrap_lines=True)
        for sentence in missing:
            st.warning(plain(sentence))
        is_meant = st.checkbox("Replace my present tasks, history and crontab by this backup")
        write_button(
            "Restore this backup",
            type="primary",
            icon=":material/history:",
            disabled=not is_meant,
            on_click=_restore,
            args=(data,),
        )


def _restore(data: bytes) -> None:
    act(_with_contents, data, lambda contents, _: _report(_restored(contents)))


def _restored(contents: Contents) -> Restored:
    return backup.restore(environment(), ACTOR, contents)


def _report(restored: Restored) -> None:
    begin_again("restore")
    add_notice("warning", f"Restored. The previous state is in {restored.previous}.")
    for note in restored.notes:
        add_notice("warning", note)
    if restored.problem:
        add_notice("error", Text("The tasks are not updated yet. ", restored.problem.user_message))
