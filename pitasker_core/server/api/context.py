"""Who asks, and what they may do."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, Path, Request
from fastapi.responses import JSONResponse

from pitasker_core import clock
from pitasker_core.api.models import LARGEST_ID
from pitasker_core.auth import Role
from pitasker_core.errors import InvalidSyntax
from pitasker_core.settings import Settings

ACTOR = "api"


def _settings(request: Request) -> Settings:
    """The settings of this request: read-only unless the gate saw somebody who may write."""
    may_write = getattr(request.state, "role", None) is Role.WRITE
    return replace(Settings.from_environment(), read_only=not may_write)


Asked = Annotated[Settings, Depends(_settings)]
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
