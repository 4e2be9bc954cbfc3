"""The crontabs of the database, and the answer to which of them is this one."""

from pitasker_core.base.environment import Environment
from pitasker_core.cli.answer import Answer, table
from pitasker_core.cli.command import ACTOR, Commands, Words, command, group
from pitasker_core.server import crontabs
from pitasker_core.server.answers.access import Crontabs


def add_to(commands: Commands) -> None:
    """Declare these commands."""
    known = group(commands, "crontabs", "the crontabs of the database, after a change of names")
    command(known, "list", _list, "all of them; first this one, or those that it may be")
    same = command(known, "continue", _continue, "this crontab is a known one under another name")
    same.add_argument("crontab", type=int, metavar="ID")
    command(known, "new", _new, "this crontab is none of the known ones")


def _list(environment: Environment, words: Words) -> Answer:
    found = crontabs.listing(environment)
    rows = [(str(one.id), str(one), str(one.tasks), one.standing.value, one.why) for one in found]
    heads = ("id", "crontab", "tasks", "standing", "why")
    text = f"This crontab is {environment.identity}.\n{table(heads, rows)}"
    return Answer(Crontabs.of(environment.identity, found), text)


def _continue(environment: Environment, words: Words) -> Answer:
    crontabs.continue_as(environment, ACTOR, words.crontab)
    done = f"Crontab {words.crontab} continues as {environment.identity}."
    return Answer({"continued": words.crontab}, done)


def _new(environment: Environment, words: Words) -> Answer:
    crontabs.start_new(environment, ACTOR)
    return Answer({"new": str(environment.identity)}, f"{environment.identity} is a new crontab.")
