"""The crontabs of the database, and the choice of the one that is ours."""

from pitasker_core.base.environment import Environment
from pitasker_core.cli.answer import Answer, table
from pitasker_core.cli.command import ACTOR, Commands, Words, command, group
from pitasker_core.server import crontabs
from pitasker_core.server.answers.access import Crontabs


def add_to(commands: Commands) -> None:
    choices = group(commands, "crontabs")
    command(choices, "list", _list, "list all crontabs; this one or the candidates first")
    same = command(choices, "continue", _continue, "use a crontab's rows under the new name")
    same.add_argument("crontab", type=int, metavar="ID")
    command(choices, "new", _new, "start without rows, as a new crontab")


def _list(environment: Environment, words: Words) -> Answer:
    listed = crontabs.listing(environment)
    rows = [(str(row.id), str(row), str(row.tasks), row.standing.value, row.why) for row in listed]
    heads = ("id", "crontab", "tasks", "standing", "why")
    text = f"This crontab is {environment.identity}.\n{table(heads, rows)}"
    return Answer(Crontabs.of(environment.identity, listed), text)


def _continue(environment: Environment, words: Words) -> Answer:
    crontabs.continue_as(environment, ACTOR, words.crontab)
    done = f"Crontab {words.crontab} continues as {environment.identity}."
    return Answer({"continued": words.crontab}, done)


def _new(environment: Environment, words: Words) -> Answer:
    crontabs.start_new(environment, ACTOR)
    return Answer({"new": str(environment.identity)}, f"{environment.identity} is a new crontab.")
