"""Build the Apprise URL of a service from its plain parts. Pure.

Every part is quoted, so a password may hold any character. The forms of the URLs are those of
https://appriseit.com/services/.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from pitasker_core.base.errors import InvalidSyntax

_MAIL_HOST = "smtp.example.org:587"
_HOST = re.compile(r"[A-Za-z0-9_.-]+(?::\d{1,5})?")
_TOPIC = re.compile(r"[-\w]{1,64}", re.ASCII)
_BOT_TOKEN = re.compile(r"(?:bot)?\d+:[-\w]+", re.IGNORECASE)
_CHAT = re.compile(r"-?\d+|@\w+")


@dataclass(frozen=True)
class Part:
    """A field of a service's form."""

    name: str
    label: str
    placeholder: str = ""
    help: str = ""
    is_secret: bool = False


@dataclass(frozen=True)
class Service:
    """A service with the fields that make its URL."""

    label: str
    parts: tuple[Part, ...]
    build: Callable[[Mapping[str, str]], str]


def build_url(service: str, values: Mapping[str, str]) -> str:
    """Return the Apprise URL of a service. Raises InvalidSyntax, without any secret."""
    return SERVICES[service].build({name: value.strip() for name, value in values.items()})


def _required(values: Mapping[str, str], name: str, label: str) -> str:
    if not (value := values.get(name, "")):
        raise InvalidSyntax(f"{label} is missing.", "Fill it in.")
    return value


def _host(text: str, label: str, example: str) -> str:
    if not _HOST.fullmatch(text):
        raise InvalidSyntax(f"{label} is not a host.", f"Write it as in {example}.")
    return text


def _login(user: str, password: str) -> str:
    if password and not user:
        raise InvalidSyntax("A password needs a user.", "Fill in the user, or clear the password.")
    if not user:
        return ""
    return f"{_quoted(user)}:{_quoted(password)}@" if password else f"{_quoted(user)}@"


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _ntfy(values: Mapping[str, str]) -> str:
    topic = _required(values, "topic", "The topic")
    if not _TOPIC.fullmatch(topic):
        raise InvalidSyntax(
            "A topic of ntfy has letters, digits, _ and -, at most 64.", "Choose other characters."
        )
    server = values.get("server", "") or "https://ntfy.sh"
    scheme, _, rest = server.rpartition("://")
    if scheme not in ("", "http", "https"):
        raise InvalidSyntax("The server is not an address.", "Write it as in https://ntfy.sh.")
    host = _host(rest.rstrip("/"), "The server", "https://ntfy.example.org")
    login = _login(values.get("user", ""), values.get("password", ""))
    return f"{'ntfy' if scheme == 'http' else 'ntfys'}://{login}{host}/{_quoted(topic)}"


def _mail(values: Mapping[str, str]) -> str:
    host = _host(_required(values, "host", "The mail server"), "The mail server", _MAIL_HOST)
    receiver = _address(_required(values, "to", "The receiver"), "The receiver")
    user = values.get("user", "")
    sender = values.get("from", "") or (user if "@" in user else receiver)
    name, _, port = host.partition(":")
    query = {"from": _address(sender, "The sender"), "to": receiver, "smtp": name}
    if port == "465":
        query["mode"] = "ssl"  # this port speaks TLS from its first byte
    login = _login(user, values.get("password", ""))
    return f"mailtos://{login}{host}?{urlencode(query, quote_via=quote)}"


def _address(text: str, label: str) -> str:
    if not re.fullmatch(r"[^@\s,]+@[^@\s,]+", text):
        raise InvalidSyntax(f"{label} is not a mail address.", "Write it as in you@example.org.")
    return text


def _telegram(values: Mapping[str, str]) -> str:
    token = _required(values, "token", "The bot token")
    chat = _required(values, "chat", "The chat id")
    if not _BOT_TOKEN.fullmatch(token):
        raise InvalidSyntax(
            "This is not a bot token.", "Copy it from BotFather: digits, a colon, then letters."
        )
    if not _CHAT.fullmatch(chat):
        raise InvalidSyntax("This is not a chat id.", "It is a number, or a name with @.")
    return f"tgram://{token}/{_quoted(chat)}/"


def _webhook(values: Mapping[str, str]) -> str:
    text = _required(values, "url", "The URL")
    try:
        parts = urlsplit(text)
        is_right = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_right = False
    if not is_right:
        raise InvalidSyntax("This is not a URL of the web.", "It begins with https:// or http://.")
    # Apprise sends on only the parameters that begin with "-", and decodes them twice.
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = urlencode([(f"-{_quoted(key)}", _quoted(value)) for key, value in pairs])
    scheme = "jsons" if parts.scheme == "https" else "json"
    return f"{scheme}://{parts.netloc}{parts.path}{f'?{query}' if query else ''}"


def _other(values: Mapping[str, str]) -> str:
    return _required(values, "url", "The Apprise URL")


_USER = Part("user", "User", help="Empty: without signing in.")
_PASSWORD = Part("password", "Password", is_secret=True)

SERVICES: Mapping[str, Service] = {
    "ntfy": Service(
        "ntfy",
        (
            Part("server", "Server", "https://ntfy.sh", "Empty: ntfy.sh."),
            Part(
                "topic",
                "Topic",
                "a-topic-nobody-guesses",
                "On ntfy.sh, anyone who knows the topic can read it.",
                is_secret=True,
            ),
            _USER,
            _PASSWORD,
        ),
        _ntfy,
    ),
    "mail": Service(
        "Mail",
        (
            Part("host", "Mail server", _MAIL_HOST, "With TLS. Port 587 unless another is given."),
            _USER,
            _PASSWORD,
            Part("from", "From", "pi@example.org", "Empty: the user, or the receiver."),
            Part("to", "To", "you@example.org"),
        ),
        _mail,
    ),
    "telegram": Service(
        "Telegram",
        (
            Part("token", "Bot token", help="From BotFather.", is_secret=True),
            Part("chat", "Chat id", "-1001234567890", "A number, or @name of a channel."),
        ),
        _telegram,
    ),
    "webhook": Service(
        "Webhook",
        (
            Part(
                "url",
                "URL",
                "https://example.org/hook",
                "It gets each notice as JSON by POST.",
                is_secret=True,
            ),
        ),
        _webhook,
    ),
    "other": Service(
        "Other (Apprise URL)",
        (Part("url", "Apprise URL", "discord://WEBHOOK-ID/WEBHOOK-TOKEN", is_secret=True),),
        _other,
    ),
}
"""The services with a form, in the order of the page."""
