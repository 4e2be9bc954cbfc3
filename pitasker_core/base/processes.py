"""Wait for a child process."""

import os
import select
import subprocess
import time
from contextlib import suppress

_PART = 1 << 16
"""Bytes to read at once: what a pipe holds."""


def wait_for_outputs(process: subprocess.Popen[bytes], end: float) -> tuple[bytes, bytes]:
    """Wait for the end of a process. Return its standard output and error, which are pipes.

    `communicate` takes more CPU time, and sleeps for half a millisecond or more until it looks
    again whether the process has ended. `end` is in seconds of `time.monotonic`. Raises
    TimeoutExpired.
    """
    assert process.stdout  # noqa: S101
    assert process.stderr  # noqa: S101
    parts = {process.stdout.fileno(): bytearray(), process.stderr.fileno(): bytearray()}
    poll = select.poll()
    for pipe in parts:
        poll.register(pipe, select.POLLIN)
    left = len(parts)
    while left:
        for pipe, _ in _poll(poll, process, end):
            parts[pipe] += (data := os.read(pipe, _PART))
            if not data:
                poll.unregister(pipe)
                left -= 1
    with suppress(OSError):  # some containers refuse this call
        handle = os.pidfd_open(process.pid)
        try:
            poll.register(handle, select.POLLIN)
            _poll(poll, process, end)
        finally:
            os.close(handle)
    process.wait(max(0.0, end - time.monotonic()))
    out, err = parts.values()
    return bytes(out), bytes(err)


def _poll(
    poll: "select.poll", process: subprocess.Popen[bytes], end: float
) -> list[tuple[int, int]]:
    """Wait until a file of a poll is ready. Raises TimeoutExpired."""
    ready = poll.poll(max(0.0, 1000 * (end - time.monotonic())))
    if not ready:
        raise subprocess.TimeoutExpired(process.args, 0)
    return ready
