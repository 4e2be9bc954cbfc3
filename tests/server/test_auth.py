"""Passwords, links and sessions: who may come in, and until when."""

import stat
from dataclasses import replace

import pytest

from pitasker_core import auth, preferences, tasks, tokens
from pitasker_core.auth import Role
from pitasker_core.errors import ExecutionError, InvalidSyntax, NotFound, ReadOnly
from pitasker_core.runs import by_hand
from pitasker_core.sites import Site
from pitasker_core.sync import adopt, edit, service
from pitasker_core.sync.release import release
from pitasker_core.sync.service import Request
from tests.helpers.examples import ME, create

SECRET = "correct horse battery"


def test_a_password_opens_its_own_role_and_no_other(settings):
    assert not auth.has_password(settings)
    auth.set_password(settings, SECRET)
    auth.set_password(settings, "only for looking", Role.READ)
    assert auth.has_password(settings)
    assert auth.check_password(settings, SECRET) is Role.WRITE
    assert auth.check_password(settings, "only for looking") is Role.READ
    assert auth.check_password(settings, "wrong") is None


def test_without_a_password_none_opens(settings):
    assert auth.check_password(settings, "") is None


def test_a_short_password_is_refused(settings):
    with pytest.raises(InvalidSyntax, match="at least 10"):
        auth.set_password(settings, "123456789")
    assert not auth.has_password(settings)


def test_only_the_owner_can_read_the_secrets_and_no_password_is_in_them(settings):
    auth.set_password(settings, SECRET)
    file = settings.home / "auth.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert SECRET not in file.read_text()


def test_a_link_opens_once(settings):
    token = auth.new_link(settings)
    assert auth.use_link(settings, "forged") is None
    assert auth.role_of_link(settings, token) is Role.WRITE  # looking uses nothing up
    assert auth.use_link(settings, token) is Role.WRITE
    assert auth.use_link(settings, token) is None


def test_a_link_is_worthless_after_a_day(settings, monkeypatch):
    token = auth.new_link(settings)
    later = auth.time.time() + auth.LINK_SECONDS + 1
    monkeypatch.setattr(auth.time, "time", lambda: later)
    assert auth.use_link(settings, token) is None


SITE = Site("http", "127.0.0.1", 8501)


def signed_in(settings, role=Role.WRITE):
    return dict([auth.sign_in(settings, role, SITE)])


def test_a_session_is_known_by_its_cookie_alone(settings):
    ((name, value),) = signed_in(settings, Role.READ).items()
    assert auth.session(settings, {name: value}).role is Role.READ
    for forged in ("", "x", value.replace("read", "write"), value[:-1], value + "x"):
        assert auth.session(settings, {name: forged}) is None
    assert auth.session(settings, {}) is None


def test_a_cookie_counts_under_its_own_name_alone(settings):
    ((name, value),) = signed_in(settings).items()
    assert name == "pitasker-8501"
    for other in ("pitasker-8502", "__Host-pitasker-8501", "pitasker", "x"):
        assert auth.session(settings, {other: value}) is None


def test_a_session_of_another_home_is_nothing_here(settings, tmp_path):
    other = replace(settings, home=tmp_path / "other")
    cookie = signed_in(other)
    signed_in(settings)
    assert auth.session(settings, cookie) is None


def test_a_session_ends_by_itself(settings, monkeypatch):
    cookie = signed_in(settings)
    later = auth.time.time() + auth.SESSION_SECONDS + 2
    monkeypatch.setattr(auth.time, "time", lambda: later)
    assert auth.session(settings, cookie) is None


def test_signing_out_ends_this_session_and_leaves_others(settings):
    mine, other = signed_in(settings), signed_in(settings)
    auth.sign_out(settings, mine)
    assert auth.session(settings, mine) is None
    assert auth.session(settings, other)


@pytest.mark.parametrize(
    "rotate", [auth.sign_out_everyone, lambda settings: auth.set_password(settings, SECRET)]
)
def test_a_new_secret_ends_all_sessions_and_links(settings, rotate):
    cookie, link = signed_in(settings), auth.new_link(settings)
    rotate(settings)
    assert auth.session(settings, cookie) is None
    assert auth.use_link(settings, link) is None


def test_a_file_that_cannot_be_read_is_an_error_and_no_open_door(settings):
    cookie = signed_in(settings)
    (settings.home / "auth.json").write_text("{")
    with pytest.raises(ExecutionError, match="cannot be read"):
        auth.session(settings, cookie)


# --- Tokens --------------------------------------------------------------------------------------


def test_a_token_is_known_until_it_is_revoked(settings):
    token = tokens.create(settings, ME, "phone", Role.READ)
    assert tokens.role_of(settings, token) is Role.READ
    (listed,) = tokens.listing(settings)
    assert (listed.name, listed.role) == ("phone", Role.READ)
    assert listed.used_at
    tokens.revoke(settings, ME, listed.id)
    assert tokens.role_of(settings, token) is None
    with pytest.raises(NotFound):
        tokens.revoke(settings, ME, listed.id)


def test_a_forged_token_is_nothing(settings):
    tokens.create(settings, ME, "phone", Role.WRITE)
    for forged in ("", "pitasker_", "x", tokens.PREFIX + "x" * 43):
        assert tokens.role_of(settings, forged) is None


# --- Looking only --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "act",
    [
        lambda s, task: tasks.create(s, ME, "New", "@daily", "true"),
        lambda s, task: tasks.create(s, ME, "New", "@daily", "true", system_managed=False),
        lambda s, task: tasks.change(s, ME, task.id, name="Other"),
        lambda s, task: tasks.delete(s, ME, task.id),
        lambda s, task: service.sync(s, Request(ME)),
        lambda s, task: service.export(s, ME, [task.id]),
        lambda s, task: adopt.adopt(s, ME),
        lambda s, task: release(s, ME, [task.id]),
        lambda s, task: edit.save_raw(s, "# x\n", service.read_crontab(s)[0], actor=ME),
        lambda s, task: edit.restore(s, 1, actor=ME),
        lambda s, task: tokens.create(s, ME, "t", Role.READ),
        lambda s, task: tokens.revoke(s, ME, 1),
        lambda s, task: preferences.change(s, ME, sync_minutes=1),
        lambda s, task: auth.sign_out_everyone(s),
        lambda s, task: by_hand.start(s, ME, task),
        lambda s, task: by_hand.stop(s, "any"),
    ],
)
def test_who_may_only_look_changes_nothing(settings, crontab, act):
    task = create(settings)
    before = crontab.read()
    looking = replace(settings, read_only=True)
    with pytest.raises(ReadOnly):
        act(looking, task)
    assert crontab.read() == before
    assert tasks.get(settings, task.id) == task
    assert len(tasks.listing(looking).tasks) == 1
    assert tokens.listing(looking) == []
