"""Passwords, links and sessions: who may sign in, and for how long."""

import stat
from dataclasses import replace

import pytest

from pitasker_core import tasks
from pitasker_core.base.errors import ExecutionError, InvalidSyntax, NotFound, ReadOnly
from pitasker_core.database import preferences
from pitasker_core.runs import manual
from pitasker_core.server import auth, tokens
from pitasker_core.server.auth import Role
from pitasker_core.server.sites import Site
from pitasker_core.sync import edit, importing, service
from pitasker_core.sync.service import Request
from pitasker_core.sync.stop_managing import stop_managing
from tests.helpers.examples import ME, create

SECRET = "correct horse battery"


def test_a_password_opens_its_own_role_and_no_other(environment):
    assert not auth.has_password(environment)
    auth.set_password(environment, SECRET)
    auth.set_password(environment, "only for looking", Role.READ)
    assert auth.has_password(environment)
    assert auth.check_password(environment, SECRET) is Role.WRITE
    assert auth.check_password(environment, "only for looking") is Role.READ
    assert auth.check_password(environment, "wrong") is None


def test_without_a_password_none_opens(environment):
    assert auth.check_password(environment, "") is None


def test_a_short_password_is_refused(environment):
    with pytest.raises(InvalidSyntax, match="at least 10"):
        auth.set_password(environment, "123456789")
    assert not auth.has_password(environment)


def test_only_the_owner_can_read_the_secrets_and_no_password_is_in_them(environment):
    auth.set_password(environment, SECRET)
    file = environment.home / "auth.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert SECRET not in file.read_text()


def test_a_link_opens_once(environment):
    token = auth.new_link(environment)
    assert auth.use_link(environment, "forged") is None
    assert auth.role_of_link(environment, token) is Role.WRITE  # reading a link does not use it up
    assert auth.use_link(environment, token) is Role.WRITE
    assert auth.use_link(environment, token) is None


def test_a_link_is_worthless_after_a_day(environment, monkeypatch):
    token = auth.new_link(environment)
    later = auth.time.time() + auth.LINK_SECONDS + 1
    monkeypatch.setattr(auth.time, "time", lambda: later)
    assert auth.use_link(environment, token) is None


SITE = Site("http", "127.0.0.1", 8501)


def signed_in(environment, role=Role.WRITE):
    return dict([auth.sign_in(environment, role, SITE)])


def test_a_session_is_known_by_its_cookie_alone(environment):
    ((name, value),) = signed_in(environment, Role.READ).items()
    assert auth.session(environment, {name: value}).role is Role.READ
    for forged in ("", "x", value.replace("read", "write"), value[:-1], value + "x"):
        assert auth.session(environment, {name: forged}) is None
    assert auth.session(environment, {}) is None


def test_a_cookie_counts_under_its_own_name_alone(environment):
    ((name, value),) = signed_in(environment).items()
    assert name == "pitasker-8501"
    for other in ("pitasker-8502", "__Host-pitasker-8501", "pitasker", "x"):
        assert auth.session(environment, {other: value}) is None


def test_a_session_of_another_home_is_nothing_here(environment, tmp_path):
    other = replace(environment, home=tmp_path / "other")
    cookie = signed_in(other)
    signed_in(environment)
    assert auth.session(environment, cookie) is None


def test_a_session_ends_by_itself(environment, monkeypatch):
    cookie = signed_in(environment)
    later = auth.time.time() + auth.SESSION_SECONDS + 2
    monkeypatch.setattr(auth.time, "time", lambda: later)
    assert auth.session(environment, cookie) is None


def test_signing_out_ends_this_session_and_leaves_others(environment):
    mine, other = signed_in(environment), signed_in(environment)
    auth.sign_out(environment, mine)
    assert auth.session(environment, mine) is None
    assert auth.session(environment, other)


@pytest.mark.parametrize(
    "rotate", [auth.sign_out_everyone, lambda environment: auth.set_password(environment, SECRET)]
)
def test_a_new_secret_ends_all_sessions_and_links(environment, rotate):
    cookie, link = signed_in(environment), auth.new_link(environment)
    rotate(environment)
    assert auth.session(environment, cookie) is None
    assert auth.use_link(environment, link) is None


def test_a_file_that_cannot_be_read_is_an_error_and_no_open_door(environment):
    cookie = signed_in(environment)
    (environment.home / "auth.json").write_text("{")
    with pytest.raises(ExecutionError, match="cannot be read"):
        auth.session(environment, cookie)


# --- Tokens --------------------------------------------------------------------------------------


def test_a_token_is_known_until_it_is_revoked(environment):
    token = tokens.create(environment, ME, "phone", Role.READ)
    assert tokens.role_of(environment, token) is Role.READ
    (listed,) = tokens.listing(environment)
    assert (listed.name, listed.role) == ("phone", Role.READ)
    assert listed.used_at
    tokens.revoke(environment, ME, listed.id)
    assert tokens.role_of(environment, token) is None
    with pytest.raises(NotFound):
        tokens.revoke(environment, ME, listed.id)


def test_a_forged_token_is_nothing(environment):
    tokens.create(environment, ME, "phone", Role.WRITE)
    for forged in ("", "pitasker_", "x", tokens.PREFIX + "x" * 43):
        assert tokens.role_of(environment, forged) is None


# --- Looking only --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "act",
    [
        lambda s, task: tasks.create(s, ME, tasks.NewTask("New", "@daily", "true")),
        lambda s, task: tasks.create(
            s, ME, tasks.NewTask("New", "@daily", "true", system_managed=False)
        ),
        lambda s, task: tasks.change(s, ME, task.id, name="Other"),
        lambda s, task: tasks.delete(s, ME, task.id),
        lambda s, task: service.sync(s, Request(ME)),
        lambda s, task: service.export(s, ME, [task.id]),
        lambda s, task: importing.import_entries(s, ME),
        lambda s, task: stop_managing(s, ME, [task.id]),
        lambda s, task: edit.save_raw(s, "# x\n", service.read_crontab(s)[0], actor=ME),
        lambda s, task: edit.restore(s, 1, actor=ME),
        lambda s, task: tokens.create(s, ME, "t", Role.READ),
        lambda s, task: tokens.revoke(s, ME, 1),
        lambda s, task: preferences.change(s, ME, sync_minutes=1),
        lambda s, task: auth.sign_out_everyone(s),
        lambda s, task: manual.start(s, ME, task),
        lambda s, task: manual.stop(s, "any"),
    ],
)
def test_who_may_only_look_changes_nothing(environment, crontab, act):
    task = create(environment)
    before = crontab.read()
    looking = replace(environment, read_only=True)
    with pytest.raises(ReadOnly):
        act(looking, task)
    assert crontab.read() == before
    assert tasks.get(environment, task.id) == task
    assert len(tasks.listing(looking).tasks) == 1
    assert tokens.listing(looking) == []
