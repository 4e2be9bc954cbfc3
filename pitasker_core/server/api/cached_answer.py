"""An answer that is written once for each version of its value, with an ETag."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import anyio.to_thread
from starlette.responses import Response

from pitasker_core.base.environment import Environment
from pitasker_core.server.answers.wire import as_json

T = TypeVar("T")


@dataclass(frozen=True)
class _Entry(Generic[T]):
    value: T
    body: bytes
    etag: str


class CachedAnswer(Generic[T]):
    """Answers with a shared value: `compute` returns it, and `peek` returns it without any work.

    Both return the same object until the value changes. A client whose `If-None-Match` names the
    answer gets 304 without a body.
    """

    def __init__(
        self,
        peek: Callable[[Environment], T | None],
        compute: Callable[[Environment], T],
        make_answer: Callable[[T], Any],
    ) -> None:
        self._peek = peek
        self._compute = compute
        self._make_answer = make_answer
        self._entry: _Entry[T] | None = None

    async def respond(self, environment: Environment, if_none_match: str | None) -> Response:
        """Return the response. Raises what computing the value raises."""
        entry, value = self._entry, self._peek(environment)
        if entry is None or value is None or entry.value is not value:
            entry = await anyio.to_thread.run_sync(self._renew, environment)
        headers = {"etag": entry.etag}
        if if_none_match and entry.etag in names(if_none_match):
            return Response(status_code=304, headers=headers)
        return Response(entry.body, media_type="application/json", headers=headers)

    def _renew(self, environment: Environment) -> _Entry[T]:
        value, entry = self._compute(environment), self._entry
        if entry is None or entry.value is not value:
            data = as_json(self._make_answer(value))
            # In ASCII, as `Exact` has it.
            body = json.dumps(data, separators=(",", ":")).encode()
            entry = _Entry(value, body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')
            self._entry = entry
        return entry


def names(if_none_match: str) -> list[str]:
    """Return the entity tags of the header, compared weakly (RFC 9110, section 13.1.2)."""
    return [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
