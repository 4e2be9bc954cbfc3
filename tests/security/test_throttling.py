"""Guessing passwords is limited, and does not lock the owner out."""

import secrets
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.server import auth
from pitasker_core.server.auth import Role
from pitasker_core.server.web import login
from pitasker_core.server.web.bounds import Bounded
from pitasker_core.server.web.gate import Gate
from pitasker_core.server.web.throttle import (
    BURST,
    FREE_ATTEMPTS,
    LONGEST_WAIT,
    REFILL_SECONDS,
    Throttle,
)
from tests.helpers.waiting import patience, until

SECRET, LOOKING = "correct horse battery", "only for looking"
OURS = "http://192.168.1.5:8501"


@pytest.fixture
def now():
    return [0.0]


@pytest.fixture
def throttle(now):
    return Throttle(lambda: now[0])


def test_wrong_passwords_wait_longer_and_longer_and_never_without_end(throttle, now):
    waits = []
    for _ in range(1100):  # 2.0 ** 1024 is an error
        assert throttle.begin("a") == 0
        waits.append(throttle.begin("a"))
        now[0] += max(waits[-1], REFILL_SECONDS)
    assert waits[:6] == [0, 0, 2, 4, 8, 16]  # two attempts at a time, until the pause begins
    assert max(waits) == LONGEST_WAIT


def test_the_first_few_wrong_passwords_cost_no_waiting(throttle):
    assert [throttle.begin("a") for _ in range(FREE_ATTEMPTS)] == [0] * FREE_ATTEMPTS
    assert throttle.begin("a") == 2


def test_the_pause_begins_when_the_password_was_looked_at(throttle, now):
    for _ in range(FREE_ATTEMPTS):
        throttle.begin("a")
    now[0] = 10.0  # a slow machine
    throttle.wrong("a")
    assert throttle.begin("a") == 2


def test_who_guesses_at_one_address_does_not_keep_another_out(throttle, now):
    for _ in range(1000):
        now[0] += 60
        throttle.begin("attacker")
        assert throttle.begin("owner") == 0
        throttle.right("owner")


def test_a_spread_attack_has_few_guesses_for_all_its_addresses(throttle, now):
    def guesses(addresses):
        return sum(throttle.begin(str(address)) == 0 for address in addresses)

    assert guesses(range(1000)) == BURST
    now[0] += 10 * REFILL_SECONDS
    assert guesses(range(1000, 2000)) == 10


def test_a_spread_attack_does_not_keep_out_who_was_here_before(throttle):
    for address in range(1000):
        throttle.begin(str(address))
    assert throttle.begin("a stranger") > 0
    assert throttle.begin("the owner's browser", is_stranger=False) == 0


def test_the_password_for_looking_does_not_end_the_pauses_of_the_other(throttle):
    looked_at = 0
    for _ in range(50):
        if throttle.begin("reader") == 0:
            throttle.right("reader", is_owner=False)
        looked_at += throttle.begin("reader") == 0
    assert looked_at <= FREE_ATTEMPTS


# --- By HTTP --------------------------------------------------------------------------------------


@pytest.fixture
def environment(tmp_path, monkeypatch, throttle):
    environment = Environment(
        tmp_path / "home", "postgresql://nobody@127.0.0.1:9/none", "crontab", False
    )
    monkeypatch.setenv("PITASKER_HOME", str(environment.home))
    monkeypatch.setenv("DATABASE_URL", environment.database_url)
    monkeypatch.setattr(login, "throttle", throttle)
    # The test is about the limits, not about the duration of hashing.
    monkeypatch.setattr(auth, "PasswordHasher", Plain)
    auth._nobodys_hash.cache_clear()
    auth.set_password(environment, SECRET)
    auth.set_password(environment, LOOKING, Role.READ)
    yield environment
    auth._nobodys_hash.cache_clear()


class Plain:
    """Replaces Argon2."""

    def hash(self, password):
        return password

    def verify(self, hashed, password):
        return hashed == password


@pytest.fixture
def visit(environment):
    app = Starlette(routes=login.routes(), middleware=[Middleware(Gate), Middleware(Bounded)])

    def visit(client):
        return TestClient(app, OURS, follow_redirects=False, client=(client, 4711))

    return visit


def sign_in(browser, password):
    return browser.post("/login", data={"password": password})


def test_the_page_names_the_link_that_needs_no_password(visit):
    attacker = visit("203.0.113.9")
    answers = [sign_in(attacker, "x") for _ in range(FREE_ATTEMPTS + 1)]
    assert [answer.status_code for answer in answers] == [401] * FREE_ATTEMPTS + [429]
    assert "<code>./pitasker link</code> on the machine itself prints a link" in answers[-1].text
    assert answers[-1].headers["retry-after"] == "3"
    assert sign_in(attacker, SECRET).status_code == 429


def test_the_owner_gets_in_while_the_whole_world_guesses(visit):
    home, new = visit("192.168.1.9"), visit("192.168.1.10")
    assert sign_in(home, SECRET).status_code == 303
    home.post("/logout")
    for number in range(BURST + 5):
        sign_in(visit(f"203.0.113.{number}"), "x")
    assert sign_in(new, SECRET).status_code == 429
    assert sign_in(home, SECRET).status_code == 303


def test_a_forged_cookie_of_an_earlier_visit_is_none(visit, throttle):
    attacker = visit("203.0.113.9")
    answers = []
    for number in range(FREE_ATTEMPTS + 3):
        attacker.cookies.clear()
        attacker.cookies.set("seen-by-pitasker-8501", f"{number}.aaaa.bbbb")
        answers.append(sign_in(attacker, "x").status_code)
    assert answers == [401] * FREE_ATTEMPTS + [429] * 3


def test_who_may_only_look_is_remembered_as_nobody_and_counts_on(visit):
    reader = visit("203.0.113.9")
    guessed = []
    for _ in range(20):
        reader.cookies.clear()
        sign_in(reader, LOOKING)
        assert "seen-by-pitasker-8501" not in reader.cookies
        guessed.append(sign_in(reader, "x").status_code)
    assert guessed.count(401) <= FREE_ATTEMPTS


def test_addresses_of_one_network_of_ipv6_count_as_one(visit):
    answers = [sign_in(visit(f"2001:db8::{number}"), "x").status_code for number in range(1, 9)]
    assert answers == [401] * FREE_ATTEMPTS + [429] * 3


def test_both_roles_cannot_have_the_same_password(environment):
    with pytest.raises(InvalidSyntax, match="the password of the other role"):
        auth.set_password(environment, SECRET, Role.READ)
    with pytest.raises(InvalidSyntax, match="the password of the other role"):
        auth.set_password(environment, LOOKING)


def test_a_password_that_both_roles_have_since_long_ago_opens_looking(environment):
    with auth._changing(environment) as data:
        data["passwords"] = {"write": SECRET, "read": SECRET}
    assert auth.check_password(environment, SECRET) is Role.READ


def test_guessing_by_the_network_does_not_keep_out_who_was_here_before(victim):
    with victim.visit() as owner, victim.visit() as attacker:
        assert owner.post("/login", data={"password": victim.password}).status_code == 303

        def is_stopped():
            forged = {"x-forwarded-for": f"6.6.6.{secrets.randbelow(256)}\x1b[31m"}
            answer = attacker.post("/login", data={"password": "x"}, headers=forged)
            return answer.status_code == 429 and "./pitasker link" in answer.text

        until(is_stopped)
        assert owner.post("/login", data={"password": victim.password}).status_code == 303
    assert "6.6.6." not in victim.logged()


def test_attempts_that_come_together_count_together(address, environment, monkeypatch):
    refused = threading.Event()

    class Waiting(Plain):
        """The first attempts are checked until the later ones are refused."""

        def verify(self, hashed, password):
            refused.wait(patience())
            return super().verify(hashed, password)

    monkeypatch.setattr(auth, "PasswordHasher", Waiting)

    def attempt(password):
        data = {"password": password}
        return httpx.post(f"{address}/login", data=data, timeout=2 * patience()).status_code

    with ThreadPoolExecutor(FREE_ATTEMPTS + 2) as pool:
        attempts = as_completed([pool.submit(attempt, "x") for _ in range(FREE_ATTEMPTS + 2)])
        assert [next(attempts).result() for _ in range(2)] == [429, 429]
        refused.set()
        assert [answer.result() for answer in attempts] == [401] * FREE_ATTEMPTS
    assert attempt(SECRET) == 429
