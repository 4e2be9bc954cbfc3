"""Follow what a run prints, from its start to its end."""

import re
import time
from collections.abc import Iterator

from pitasker_core.base.environment import Environment
from pitasker_core.runs import history, spool
from pitasker_core.runs.history import Run

_PAUSE = 0.2
"""Seconds between two looks."""

_CUT = re.compile(rb"\n\.\.\. (\d+) bytes are left out here \.\.\.\n")


def follow(environment: Environment, name: str) -> Iterator[bytes]:
    """What a run prints, as it comes, until it has ended; then `history.named` has its end.

    Where it printed more than is kept between two looks, it says how much is left out.
    """
    seen = 0
    ended: Run | None = None
    while ended is None:
        spool.collect(environment)
        run = history.named(environment, name)
        if run and run.state != "running":
            ended, output, count = run, history.output(environment, run.id), run.bytes
        else:
            output, count = spool.printed(environment.spool / name)
        if new := since(output, count, seen):
            seen = count
            yield new
        elif ended is None:
            time.sleep(_PAUSE)


def since(output: bytes, count: int, seen: int) -> bytes:
    """What is new of an output of which some was seen. `count` is how much it is in all, with what
    is left out in its middle."""
    if count <= seen:
        return b""
    for cut in _CUT.finditer(output):
        head, tail = output[: cut.start()], output[cut.end() :]
        begin = count - len(tail)
        if len(head) + int(cut[1]) != begin:
            continue  # the job's own words
        if seen >= begin:
            return tail[seen - begin :]
        missing = begin - max(seen, len(head))
        return head[seen:] + b"\n... %d bytes are left out here ...\n" % missing + tail
    return output[seen:]
