from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pitasker_core.server.answers.wire import answer, copy_fields

if TYPE_CHECKING:
    from pitasker_core.base.identity import Identity
    from pitasker_core.database.owner import Known
    from pitasker_core.server import tokens


@answer
class Token:
    """One token, without its secret."""

    id: int
    name: str
    may_write: bool
    created_at: datetime
    used_at: datetime | None

    @classmethod
    def of(cls, token: "tokens.Token") -> "Token":
        return copy_fields(cls, token, may_write=token.role.value == "write")


@answer
class KnownCrontab:
    """A crontab of the database. `why` says why it may be this one; empty for others."""

    id: int
    host: str
    user: str
    tasks: int
    standing: Literal["ours", "may be ours", "another's"]
    why: str


@answer
class Crontabs:
    """Whose crontab this is, and all crontabs of the database."""

    host: str
    user: str
    crontabs: list[KnownCrontab]

    @classmethod
    def of(cls, identity: "Identity", crontabs: Sequence["Known"]) -> "Crontabs":
        listed = [copy_fields(KnownCrontab, crontab) for crontab in crontabs]
        return cls(identity.host, identity.user, listed)
