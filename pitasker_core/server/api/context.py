"""What all endpoints of the API share: who asks, and how an answer is written."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, Path, Request
from fastapi.responses import JSONResponse

from pitasker_core.base import clock
from pitasker_core.base.actor import Actor
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.server.answers.wire import as_json
from pitasker_core.server.api.requests import LARGEST_ID
from pitasker_core.server.auth import Role

ACTOR = Actor.API


async def _environment(request: Request) -> Environment:
    """Return the environment, read-only unless the gate has admitted a writer."""
    may_write = getattr(request.state, "role", None) is Role.WRITE
    return replace(Environment.from_environment(), read_only=not may_write)


Asked = Annotated[Environment, Depends(_environment)]
TaskId = Annotated[int, Path(ge=1, le=LARGEST_ID)]


def in_utc(moment: datetime) -> datetime:
    """Return a time of a request in UTC; one without a zone is local. Raises InvalidSyntax."""
    moment = moment if moment.tzinfo else moment.replace(tzinfo=clock.system_zone())
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise InvalidSyntax("This time is out of reach.") from None


class Exact(JSONResponse):
    """JSON in ASCII: UTF-8 cannot encode the lone surrogates that stand for a crontab's bytes."""

    def render(self, content: Any) -> bytes:
        """Return the body."""
        return json.dumps(content, separators=(",", ":")).encode()


def respond(answer: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Exact:
    """Return the response for an answer, or for a list of answers."""
    return Exact(as_json(answer), status, headers)
