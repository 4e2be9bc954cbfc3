"""PiTasker itself: the server, the demo, the agent, the service, and its database's shell."""

import argparse
import os

from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import ExecutionError
from pitasker_core.base.identity import user_name
from pitasker_core.cli.answer import Answer
from pitasker_core.cli.command import Commands, Words, command
from pitasker_core.server import auth, launch, sites, systemd_unit


def add_to(commands: Commands) -> None:
    """Declare these commands."""
    up = command(commands, "up", _up, "serve the dashboard (the default)")
    up.add_argument("--port", type=int, default=launch.PORT, help="default: %(default)s")
    up.add_argument(
        "--host",
        default=launch.ADDRESS,
        help="the address to listen on (default: %(default)s, this machine alone); "
        "any other needs a password",
    )
    _add_proxy_options(up)

    demo = command(commands, "demo", _demo, "serve a dashboard on a crontab made to be played with")
    demo.add_argument("--port", type=int, default=launch.PORT, help="default: %(default)s")

    agent = command(
        commands, "agent", _agent, "keep the tasks and the crontab in sync, without the dashboard"
    )
    agent.set_defaults(logs_to_terminal=True)

    served = command(commands, "service", _service, "PiTasker as a service that starts at boot")
    served.add_argument("act", choices=["install", "uninstall", "status"])
    served.add_argument("--port", type=int, default=launch.PORT, help="default: %(default)s")
    served.add_argument("--host", default=launch.ADDRESS, help="default: %(default)s")
    _add_proxy_options(served)

    command(commands, "stop", _stop, "end the servers, agents and private database of this home")

    shell = command(commands, "psql", _psql, "a shell on the database; takes psql's own arguments")
    shell.set_defaults(takes_others=True)


def _add_proxy_options(served: argparse.ArgumentParser) -> None:
    served.add_argument(
        "--base-url", help="the address that people use, if a proxy stands before PiTasker"
    )
    served.add_argument(
        "--trusted-proxy",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="a proxy, or a network of them, whose X-Forwarded-For is believed; may be repeated",
    )


def _up(environment: Environment, words: Words) -> int:
    return launch.up(environment, words.port, words.host, words.base_url, words.trusted_proxy)


def _demo(environment: Environment, words: Words) -> int:
    return launch.demo(environment, words.port)


def _agent(environment: Environment, words: Words) -> int:
    return launch.agent(environment)


def _stop(environment: Environment, words: Words) -> Answer:
    ended = launch.stop(environment)
    text = f"Ended {', '.join(ended)}." if ended else "Nothing of PiTasker ran."
    return Answer({"ended": ended}, f"{text} Cron goes on with the crontab as it is.")


def _service(environment: Environment, words: Words) -> Answer:
    if words.act == "uninstall":
        systemd_unit.uninstall()
        return Answer({"installed": False}, "The service is gone. Tasks and crontab stay.")
    if words.act == "install":
        launch.refuse_open_door(environment, words.host)
        launch.believed_addresses(words.trusted_proxy)
        arguments = ["--host", words.host, "--port", str(words.port)]
        if words.base_url:
            arguments += ["--base-url", str(sites.parse_base_url(words.base_url))]
        for proxy in words.trusted_proxy:
            arguments += ["--trusted-proxy", proxy]
        found = systemd_unit.install(arguments)
    else:
        found = systemd_unit.state()
    lines = [
        f"The service is {'installed' if found.installed else 'not installed'}, "
        f"{'running' if found.active else 'not running'}, and "
        f"{'starts' if found.enabled else 'does not start'} by itself."
    ]
    if found.installed and not found.lingers:
        lines.append(
            "It runs only while you are logged in. To start it at boot: "
            f"`sudo loginctl enable-linger {user_name()}`"
        )
    if words.act == "install" and not auth.has_password(environment):
        lines.append("To sign in: `./pitasker link`, or set a password: `./pitasker password`.")
    data = {"installed": found.installed, "active": found.active, "enabled": found.enabled}
    return Answer({**data, "lingers": found.lingers}, "\n".join(lines), found.active)


def _psql(environment: Environment, words: Words) -> int:
    shell, variables = launch.psql_command(environment)
    try:
        os.execvpe(shell[0], [*shell, *words.arguments], {**os.environ, **variables})
    except OSError as problem:
        raise ExecutionError(f"{shell[0]} cannot be started: {problem.strerror}.") from problem
