"""Sign-in: passwords, one-time links and signed sessions.

All of it is in one file in PiTasker's home that only its owner can read, so that people can sign
in without the database.
"""

import hashlib
import json
import logging
import secrets
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from itsdangerous import BadSignature, TimestampSigner

from pitasker_core.base import private_file
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import ExecutionError, InvalidSyntax, ReadOnly
from pitasker_core.base.text import marked
from pitasker_core.server.sites import Site

_COOKIES = ("pitasker", "__Host-pitasker")
SESSION_SECONDS = 14 * 86400
VISITOR_SECONDS = 400 * 86400
"""The longest lifetime of a cookie in browsers (RFC 6265bis)."""
LINK_SECONDS = 24 * 3600
PASSWORD_LENGTH = 10
"""The minimum length of a password. A guessed password gives a shell."""

_log = logging.getLogger(__name__)


class Role(StrEnum):
    """What a session or token may do."""

    WRITE = "write"
    READ = "read"


@dataclass(frozen=True)
class Login:
    """A signed-in session."""

    id: str
    role: Role


def has_password(environment: Environment) -> bool:
    """Whether a password with write access is set. Listening on the network needs it."""
    return Role.WRITE in _read(environment)["passwords"]


def set_password(environment: Environment, password: str, role: Role = Role.WRITE) -> None:
    """Set a role's password and end every session.

    Raises InvalidSyntax if it is too short, or the other role's password; ReadOnly.
    """
    if environment.read_only:
        raise ReadOnly
    if len(password) < PASSWORD_LENGTH:
        raise InvalidSyntax(
            f"A password needs at least {PASSWORD_LENGTH} characters.",
            "Anyone who guesses it can run commands as you. Use three or four words.",
        )
    others = [other for other in Role if other is not role]
    if any(_is_right(environment, other, password) for other in others):
        raise InvalidSyntax(
            "This is the password of the other role.",
            "Read-only users would then sign in with write access. Use another password.",
        )
    hashed = PasswordHasher().hash(password)
    with _changing(environment) as data:
        data["passwords"][role.value] = hashed
        _new_secret(data)
    _log.info("The %s password was set, and every session ended.", role.value)


def check_password(environment: Environment, password: str) -> Role | None:
    """The role of a password; None if it is wrong. Takes the same time in both cases."""
    roles = [role for role in Role if _is_right(environment, role, password)]
    # An older version allowed the same password for both roles. Then the lesser role counts.
    return roles[-1] if roles else None


def _is_right(environment: Environment, role: Role, password: str) -> bool:
    hashed = _read(environment)["passwords"].get(role.value)
    try:
        # An attempt must take the same time whether a password is set or not.
        is_right = PasswordHasher().verify(hashed or _nobodys_hash(), password)
    except (Argon2Error, InvalidHashError):
        return False
    return is_right and hashed is not None


@lru_cache
def _nobodys_hash() -> str:
    return PasswordHasher().hash(secrets.token_hex())


def new_link(environment: Environment, role: Role = Role.WRITE) -> str:
    """A token that signs in once, within 24 hours."""
    token = secrets.token_urlsafe(24)
    with _changing(environment) as data:
        data["links"][digest(token)] = [role.value, time.time() + LINK_SECONDS]
    return token


def use_link(environment: Environment, token: str) -> Role | None:
    """Use up a link's token and return its role; None if it is unknown, used or expired."""
    if digest(token) not in _read(environment)["links"]:
        return None  # guesses of strangers cause no write
    with _changing(environment) as data:
        role, until = data["links"].pop(digest(token), (None, 0))
    return Role(role) if role and until > time.time() else None


def role_of_link(environment: Environment, token: str) -> Role | None:
    """The role of a link's token, without using it up."""
    role, until = _read(environment)["links"].get(digest(token), (None, 0))
    return Role(role) if role and until > time.time() else None


def sign_in(environment: Environment, role: Role, site: Site) -> tuple[str, str]:
    """Start a session on a site. Returns the name and value of its cookie."""
    if not _read(environment)["secret"]:
        with _changing(environment) as data:
            data["secret"] = data["secret"] or secrets.token_hex(32)
    name = cookie_name(site)
    return name, _signer(environment, name).sign(f"{role}.{secrets.token_hex(16)}").decode()


def session(environment: Environment, cookies: Mapping[str, str]) -> Login | None:
    """The session in a browser's cookies; None if it is forged, expired or signed out.

    A cookie is valid only under its own name, so not on another port or scheme.
    """
    data = _read(environment)
    if not data["secret"]:
        return None
    for name in filter(_is_ours, cookies):
        try:
            signer = _signer(environment, name)
            value = signer.unsign(cookies[name], max_age=SESSION_SECONDS).decode()
            role, _, number = value.partition(".")
            login = Login(number, Role(role))
        except (BadSignature, ValueError):
            continue
        if number not in data["signed_out"]:
            return login
    return None


def cookie_name(site: Site) -> str:
    """The name of a site's cookie.

    Browsers send a cookie to every port of a host, so its name contains the port: two PiTaskers on
    one host keep their own. Browsers accept `__Host-` only from this host and by HTTPS (RFC
    6265bis).
    """
    return f"{_COOKIES[site.is_https]}-{site.port}"


def cookies_of(sites: Iterable[Site], cookies: Mapping[str, str]) -> dict[str, str]:
    """A browser's cookies that belong to these sites."""
    names = [cookie_name(site) for site in sites]
    return {name: cookies[name] for name in names if name in cookies}


def without_cookies_of_others(header: str, names: Collection[str]) -> str:
    """A `Cookie` header without our cookies of other ports and older versions."""
    pairs = [pair.strip() for pair in header.split(";")]
    given = [(pair.partition("=")[0].strip(), pair) for pair in pairs]
    return "; ".join(pair for name, pair in given if name in names or not _is_ours(name))


def _is_ours(name: str) -> bool:
    return name.startswith(_COOKIES)


def remember_visitor(
    environment: Environment, site: Site, number: str | None = None
) -> tuple[str, str]:
    """Mark a browser in which the owner signed in. Returns the name and value of the cookie.

    The cookie gives no access. Password attempts of this browser are counted apart from those of
    strangers. A browser keeps its number.
    """
    name = _visitor_cookie(site)
    return name, _signer(environment, name).sign(number or secrets.token_hex(16)).decode()


def visitor(
    environment: Environment, sites: Iterable[Site], cookies: Mapping[str, str]
) -> str | None:
    """The number of a browser in which the owner signed in before; None for other browsers."""
    names = map(_visitor_cookie, sites)
    return browser(environment, {name: cookies[name] for name in names if name in cookies})


def browser(environment: Environment, cookies: Mapping[str, str]) -> str | None:
    """The number of a browser, by the cookies of our site alone; it outlives a session."""
    if not _read(environment)["secret"]:
        return None
    for name, value in cookies.items():
        if name.removeprefix("__Host-").startswith("seen-by-pitasker-"):
            with suppress(BadSignature, ValueError):
                signed = _signer(environment, name).unsign(value, max_age=VISITOR_SECONDS)
                return signed.decode()
    return None


def _visitor_cookie(site: Site) -> str:
    return f"{'__Host-' if site.is_https else ''}seen-by-pitasker-{site.port}"


def sign_out(environment: Environment, cookies: Mapping[str, str]) -> None:
    """End one session, also in open tabs."""
    if login := session(environment, cookies):
        with _changing(environment) as data:
            data["signed_out"][login.id] = time.time() + SESSION_SECONDS


def sign_out_everyone(environment: Environment) -> None:
    """End every session and link by a new secret. Raises ReadOnly."""
    if environment.read_only:
        raise ReadOnly
    with _changing(environment) as data:
        _new_secret(data)
    _log.info("Every session and every link was ended.")


def _new_secret(data: dict[str, Any]) -> None:
    data.update(secret=secrets.token_hex(32), links={}, signed_out={})


def _signer(environment: Environment, name: str) -> TimestampSigner:
    return TimestampSigner(_read(environment)["secret"], salt=f"session in the cookie {name}")


def digest(token: str) -> str:
    """The hash of a token, as the file and the database store it."""
    return hashlib.sha256(token.encode()).hexdigest()


# --- The file ------------------------------------------------------------------------------------

_EMPTY: dict[str, Any] = {"secret": "", "passwords": {}, "links": {}, "signed_out": {}}
_seen: dict[str, tuple[tuple[int, int], dict[str, Any]]] = {}
"""The content of each file when it was last read, with its inode and modification time."""


def _read(environment: Environment) -> dict[str, Any]:
    file = environment.home / "auth.json"
    try:
        stat = file.stat()
    except FileNotFoundError:
        return _EMPTY
    mark = (stat.st_ino, stat.st_mtime_ns)
    cached = _seen.get(str(file))
    if cached is None or cached[0] != mark:
        try:
            cached = (mark, {**_EMPTY, **json.loads(file.read_text())})
        except (OSError, ValueError) as problem:
            raise ExecutionError(
                f"{file} cannot be read: {problem}.",
                marked("Delete it, then set a password again: `./pitasker password`."),
            ) from problem
        _seen[str(file)] = cached
    return cached[1]


@contextmanager
def _changing(environment: Environment) -> Iterator[dict[str, Any]]:
    """The content of the file, written back after the `with` block; one process at a time."""
    with private_file.locked(environment, "auth.json") as file:
        data = json.loads(json.dumps(_read(environment)))  # a deep copy
        yield data
        now = time.time()
        data["links"] = {key: v for key, v in data["links"].items() if v[1] > now}
        data["signed_out"] = {key: v for key, v in data["signed_out"].items() if v > now}
        private_file.write(file, data)
