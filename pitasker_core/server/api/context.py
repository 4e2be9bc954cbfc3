"""Who asks, and what they may do."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, Path, Request
from fastapi.responses import JSONResponse

from pitasker_core.base import clock
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.server.api.models import LARGEST_ID
from pitasker_core.server.auth import Role

ACTOR = "api"


def _environment(request: Request) -> Environment:
    """The environment of this request: read-only unless the gate saw somebody who may write."""
    may_write = getattr(request.state, "role", None) is Role.WRITE
    return replace(Environment.from_environment(), read_only=not may_write)


Asked = Annotated[Environment, Depends(_environment)]
TaskId = Annotated[int, Path(ge=1, le=LARGEST_ID)]


def in_utc(moment: datetime) -> datetime:
    """A time that was sent; without a zone it is of the machine's. Raises InvalidSyntax."""
    moment = moment if moment.tzinfo else moment.replace(tzinfo=clock.system_zone())
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise InvalidSyntax("This time is out of reach.") from None


class Exact(JSONResponse):
    """JSON in ASCII: a crontab's bytes that are no UTF-8 are lone surrogates, which UTF-8 lacks."""

    def render(self, content: Any) -> bytes:
        """The answer's bytes."""
        return json.dumps(content, separators=(",", ":")).encode()
