"""What a text typed where a schedule goes means on this machine."""

from uuid import UUID

from pitasker_core.base import clock
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.crontab.document import parse
from pitasker_core.crontab.understanding import Understanding, understand
from pitasker_core.crontab.zones import entry_clock
from pitasker_core.sync.crontab_text import read_crontab


def understand_here(environment: Environment, text: str, tag: UUID | None = None) -> Understanding:
    """The meaning at this time, by the clock of the entry with a tag, or of a new entry."""
    try:
        _, document = read_crontab(environment)
    except PiTaskerError:
        document = parse("")
    index = next(iter(document.by_tag.get(tag, [])), None) if tag else None
    read_by = entry_clock(document, index, clock.system_zone())
    return understand(text, read_by, clock.now(), document.dialect)
