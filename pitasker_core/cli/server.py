import argparse
import os

from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import explained
from pitasker_core.base.identity import user_name
from pitasker_core.cli.answer import Answer
from pitasker_core.cli.command import Commands, Words, command
from pitasker_core.server import auth, launch, sites, systemd_unit


def add_to(commands: Commands) -> None:
    up = command(commands, "up", _up)
    up.add_argument("--port", type=int, default=launch.PORT, help="default: %(default)s")
    up.add_argument(
        "--host",
        default=launch.ADDRESS,
        help="the address to listen on (default: %(default)s, only this machine); "
        "any other address needs a password",
    )
    _add_proxy_options(up)

    demo = command(
        commands, "demo", lambda environment, words: launch.demo(environment, words.port)
    )
    demo.add_argument("--port", type=int, default=launch.PORT, help="default: %(default)s")

    agent = command(commands, "agent", lambda environment, _: launch.agent(environment))
    agent.set_defaults(logs_to_terminal=True)

    service = command(commands, "service", _service)
    service.add_argument("act", choices=["install", "uninstall", "status"])
    service.add_argument("--port", type=int, default=launch.PORT, help="default: %(default)s")
    service.add_argument("--host", default=launch.ADDRESS, help="default: %(default)s")
    _add_proxy_options(service)

    command(commands, "stop", _stop)
    command(commands, "psql", _psql).set_defaults(takes_others=True)


def _add_proxy_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--base-url", help="PiTasker's public address behind a proxy")
    parser.add_argument(
        "--trusted-proxy",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="a proxy or network whose X-Forwarded-For is trusted; may be repeated",
    )


def _up(environment: Environment, words: Words) -> int:
    return launch.up(environment, words.port, words.host, words.base_url, words.trusted_proxy)


def _stop(environment: Environment, words: Words) -> Answer:
    ended = launch.stop(environment)
    text = f"Ended {', '.join(ended)}." if ended else "No process of PiTasker ran."
    return Answer({"ended": ended}, f"{text} Cron continues with the crontab as it is.")


def _service(environment: Environment, words: Words) -> Answer:
    if words.act == "uninstall":
        systemd_unit.uninstall()
        text = "The service was uninstalled. Tasks and crontab are unchanged."
        return Answer({"installed": False}, text)
    if words.act == "install":
        launch.refuse_open_door(environment, words.host)
        launch.believed_addresses(words.trusted_proxy)
        arguments = ["--host", words.host, "--port", str(words.port)]
        if words.base_url:
            arguments += ["--base-url", str(sites.parse_base_url(words.base_url))]
        for proxy in words.trusted_proxy:
            arguments += ["--trusted-proxy", proxy]
        unit = systemd_unit.install(arguments)
    else:
        unit = systemd_unit.state()
    lines = [
        f"The service is {'installed' if unit.installed else 'not installed'}, "
        f"{'running' if unit.active else 'not running'}, and "
        f"{'starts' if unit.enabled else 'does not start'} automatically."
    ]
    if unit.installed and not unit.lingers:
        lines.append(
            "It runs only while you are logged in. To start it at boot: "
            f"`sudo loginctl enable-linger {user_name()}`"
        )
    if words.act == "install" and not auth.has_password(environment):
        lines.append("To sign in: `./pitasker link`, or set a password: `./pitasker password`.")
    data = {"installed": unit.installed, "active": unit.active, "enabled": unit.enabled}
    return Answer({**data, "lingers": unit.lingers}, "\n".join(lines), unit.active)


def _psql(environment: Environment, words: Words) -> int:
    shell, variables = launch.psql_command(environment)
    with explained(f"{shell[0]} cannot be started"):
        os.execvpe(shell[0], [*shell, *words.arguments], {**os.environ, **variables})
