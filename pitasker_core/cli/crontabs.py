"""The crontabs of the database, and the answer to which of them is this one."""

from pitasker_core import crontabs, shapes
from pitasker_core.cli.answer import Answer, table
from pitasker_core.cli.command import ACTOR, Commands, Words, command, group
from pitasker_core.settings import Settings


def add_to(commands: Commands) -> None:
    """Declare these commands."""
    known = group(commands, "crontabs", "the crontabs of the database, after a change of names")
    command(known, "list", _list, "all of them; first this one, or those that it may be")
    same = command(known, "continue", _continue, "this crontab is a known one under another name")
    same.add_argument("crontab", type=int, metavar="ID")
    command(known, "new", _new, "this crontab is none of the known ones")


def _list(settings: Settings, words: Words) -> Answer:
    found = crontabs.listing(settings)
    rows = [(str(one.id), str(one), str(one.tasks), one.standing.value, one.why) for one in found]
    heads = ("id", "crontab", "tasks", "standing", "why")
    text = f"This crontab is {settings.identity}.\n{table(heads, rows)}"
    return Answer(shapes.crontabs(settings.identity, found), text)


def _continue(settings: Settings, words: Words) -> Answer:
    crontabs.continue_as(settings, ACTOR, words.crontab)
    done = f"Crontab {words.crontab} continues as {settings.identity}."
    return Answer({"continued": words.crontab}, done)


def _new(settings: Settings, words: Words) -> Answer:
    crontabs.start_new(settings, ACTOR)
    return Answer({"new": str(settings.identity)}, f"{settings.identity} is a new crontab.")
