"""A crontab as a document: its lines, their grammar, tags and names. Pure."""

from pitasker_core.crontab.command import split_stdin
from pitasker_core.crontab.document.characters import (
    NOT_UTF8,
    decode,
    encode,
    find_control_character,
)
from pitasker_core.crontab.document.document import DEFAULT_SHELL, Document, parse
from pitasker_core.crontab.document.lines import (
    Blank,
    Comment,
    Entry,
    EnvironmentLine,
    Invalid,
    Line,
)
from pitasker_core.crontab.document.names import NAME_LIMIT, check_name, is_name, suggest_names
from pitasker_core.crontab.document.parsing import COMMAND_LIMIT, parse_line
from pitasker_core.crontab.document.tags import add_tag, tag_in, tag_of
from pitasker_core.crontab.recording import add_recorder
