import getpass
import sys

from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import InvalidSyntax, NotFound
from pitasker_core.cli.answer import Answer, table
from pitasker_core.cli.command import ACTOR, Commands, Words, command, group, switch
from pitasker_core.notifications import channels, delivery
from pitasker_core.server import auth, instances, launch, tokens
from pitasker_core.server.answers.access import Token
from pitasker_core.server.auth import Role


def add_to(commands: Commands) -> None:
    password = command(commands, "password", _password)
    link = command(commands, "link", _link)
    link.add_argument("--port", type=int, help="default: the port of the running server")
    command(commands, "sign-out-all", _sign_out_all)

    token = group(commands, "token")
    new = command(token, "new", _token_new, "create a token")
    new.add_argument("name", help="what it is for")
    command(token, "list", _token_list, "list all tokens")
    revoke = command(token, "revoke", _token_revoke, "revoke a token")
    revoke.add_argument("token", type=int, metavar="ID")

    for parser in (password, link, new):
        switch(parser, "--read-only", "allow reading only")

    notify = group(commands, "notify")
    test = command(notify, "test", _notify_test, "send a test message to the channels")
    test.add_argument("name", nargs="?", metavar="CHANNEL", help="default: all channels")


def _password(environment: Environment, words: Words) -> Answer:
    role = Role.READ if words.read_only else Role.WRITE
    if sys.stdin.isatty():
        first = getpass.getpass("New password: ")
        if getpass.getpass("Again: ") != first:
            raise InvalidSyntax("The passwords differ.", "Nothing was changed. Try again.")
    else:
        try:
            first = sys.stdin.buffer.readline().decode().rstrip("\n")
        except UnicodeDecodeError:
            raise InvalidSyntax("A password is text in UTF-8.", "Nothing was changed.") from None
    auth.set_password(environment, first, role)
    return Answer({"set": role.value}, "The password is set, and every session was signed out.")


def _link(environment: Environment, words: Words) -> Answer:
    role = Role.READ if words.read_only else Role.WRITE
    port, addresses = words.port, []
    for instance in instances.list_running(environment):
        if instance.port is not None and port in (None, instance.port):
            addresses += instance.addresses
    runs = bool(addresses)
    if not runs:
        base = environment.base_url
        addresses = launch.list_addresses(launch.ADDRESS, port or launch.PORT, base)
    token = auth.new_link(environment, role)
    links = [f"{address}/login?token={token}" for address in dict.fromkeys(addresses)]
    lines = ["This link signs in once, within 24 hours:", links[0]]
    if len(links) > 1:
        lines += ["The same link at PiTasker's other addresses:", *links[1:]]
    if not runs:
        lines.append("No server of PiTasker runs at this address. `./pitasker` starts it.")
    return Answer({"link": links[0], "links": links, "runs": runs}, "\n".join(lines))


def _sign_out_all(environment: Environment, words: Words) -> Answer:
    auth.sign_out_everyone(environment)
    return Answer({"signedOut": True}, "All sessions were ended, and unused links were revoked.")


def _token_new(environment: Environment, words: Words) -> Answer:
    role = Role.READ if words.read_only else Role.WRITE
    token = tokens.create(environment, ACTOR, words.name, role)
    return Answer({"token": token}, f"The token. It is not shown again:\n{token}")


def _token_list(environment: Environment, words: Words) -> Answer:
    listed = tokens.listing(environment)
    rows = [
        (str(t.id), t.name, t.role.value, f"{t.used_at:%Y-%m-%d}" if t.used_at else "never")
        for t in listed
    ]
    text = table(("id", "name", "may", "used"), rows) if listed else "There are no tokens."
    return Answer({"tokens": [Token.of(token) for token in listed]}, text)


def _token_revoke(environment: Environment, words: Words) -> Answer:
    tokens.revoke(environment, ACTOR, words.token)
    return Answer({"revoked": words.token}, f"Token {words.token} is revoked.")


def _notify_test(environment: Environment, words: Words) -> Answer:
    names = [words.name] if words.name else [c.name for c in channels.listing(environment)]
    if not names:
        raise NotFound("There are no channels.", "Add one under Settings, Notifications.")
    lines = [delivery.test(environment, name) for name in names]
    return Answer({"sent": names}, "\n".join(lines))
