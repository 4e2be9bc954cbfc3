import re
import time
from collections.abc import Iterator

from pitasker_core.base.environment import Environment
from pitasker_core.runs import history, records, spool
from pitasker_core.runs.history import Run
from pitasker_core.runs.model import RunState

_PAUSE = 0.2
"""Seconds between two reads."""

_CUT = re.compile(rb"\n\.\.\. (\d+) bytes are left out here \.\.\.\n")


def follow(environment: Environment, name: str) -> Iterator[bytes]:
    """Yield the output of a run until it ends. Then `history.named` has its result.

    If it prints more between two reads than the recorder keeps, a line says how much is missing.
    """
    seen = 0
    ended: Run | None = None
    while ended is None:
        spool.collect(environment)
        run = history.named(environment, name)
        if run and run.state != RunState.RUNNING:
            ended, output, count = run, history.output(environment, run.id), run.bytes
        else:
            output, count = records.printed(environment.spool / name)
        if new := since(output, count, seen):
            seen = count
            yield new
        elif ended is None:
            time.sleep(_PAUSE)


def since(output: bytes, count: int, seen: int) -> bytes:
    """The new part of an output, after `seen` bytes. `count` is its total size, including the part
    that is cut out of its middle."""
    if count <= seen:
        return b""
    for cut in _CUT.finditer(output):
        head, tail = output[: cut.start()], output[cut.end() :]
        begin = count - len(tail)
        if len(head) + int(cut[1]) != begin:
            continue  # the job itself printed this line
        if seen >= begin:
            return tail[seen - begin :]
        missing = begin - max(seen, len(head))
        return head[seen:] + b"\n... %d bytes are left out here ...\n" % missing + tail
    return output[seen:]
