from pitasker_core.base import terminal
from pitasker_core.base.environment import Environment
from pitasker_core.cli.answer import Answer, table
from pitasker_core.cli.command import Commands, Words, command, switch
from pitasker_core.server import local_socket


def add_to(commands: Commands) -> None:
    listing = command(commands, "list", _list)
    listing.set_defaults(logs_to_file=False)
    switch(listing, "--deleted", "list the deleted tasks instead")


def _list(environment: Environment, words: Words) -> Answer:
    data = local_socket.get(environment, "deleted tasks" if words.deleted else "tasks")
    rows = [
        (
            str(task["id"]),
            "deleted" if words.deleted else task["state"],
            "paused" if task["paused"] else "",
            task["cronSchedule"],
            task["name"],
            task["command"],
        )
        for task in data["tasks"]
    ]
    text = table(("id", "state", "", "schedule", "name", "command"), rows)
    if not rows:
        text = "There are no tasks. `./pitasker import` creates them from the crontab's entries."
    problem = data.get("error")
    if problem:
        terminal.complain(f"pitasker: {problem['message']} {problem['advice']}".rstrip())
    return Answer(data, text, problem is None)
