"""The owner of a crontab after a change of host, account, machine or database."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.testclient import TestClient

from pitasker_core import database, tasks
from pitasker_core.base import identity
from pitasker_core.base.errors import DatabaseError, NotFound, PiTaskerError, Stale, UnknownCrontab
from pitasker_core.base.identity import Identity
from pitasker_core.database import preferences
from pitasker_core.database.owner import Standing
from pitasker_core.reports import audit
from pitasker_core.server import crontabs, tokens
from pitasker_core.server.api.app import make as make_api
from pitasker_core.server.auth import Role
from pitasker_core.server.web.gate import Gate
from tests.helpers.pages import said

ME = "test"
MACHINE = "11111111-1111-4111-8111-111111111111"
OTHER_MACHINE = "22222222-2222-4222-8222-222222222222"

OLD = Identity("old", "daemon", MACHINE)


def under(environment, name):
    return replace(environment, given_identity=name)


def make(ours, *, system_managed=False):
    done = tasks.create(
        ours, ME, tasks.NewTask("Backup", "0 2 * * *", "/bin/x", system_managed=system_managed)
    )
    return done.tasks[0]


def names(ours):
    return [task.name for task in tasks.listing(ours).tasks]


# --- Who is asked, and who is not -----------------------------------------------------------------

RENAMED = {
    "the host was renamed": replace(OLD, host="new"),
    "the account was renamed": Identity("old", "nobody-any-more", MACHINE),
    "the card was set up anew under the same name": replace(OLD, machine=OTHER_MACHINE),
}


@pytest.mark.parametrize("name", RENAMED)
def test_a_crontab_under_another_name_is_asked_about_and_can_go_on(environment, name):
    before = OLD
    if RENAMED[name].user != OLD.user:
        before, now = RENAMED[name], OLD  # only `daemon` is an account on this machine
    else:
        now = RENAMED[name]
    task = make(under(environment, before))
    with pytest.raises(UnknownCrontab) as asked:
        tasks.listing(under(environment, now))
    assert str(before) in asked.value.message
    crontabs.continue_as(under(environment, now), ME, asked.value.crontab_row)
    assert [each.id for each in tasks.listing(under(environment, now)).tasks] == [task.id]
    event = audit.listing(under(environment, now), 1)[0]
    assert (event.kind, event.before) == ("continued under another name", {"crontab": str(before)})


def test_tags_say_whose_crontab_it_is_where_there_is_no_machine_id(environment, crontab):
    container = Identity("4f1c", "daemon", None)
    make(under(environment, container), system_managed=True)
    again = under(environment, Identity("9e07", "daemon", None))
    with pytest.raises(UnknownCrontab, match="this crontab has its tags"):
        tasks.listing(again)
    (candidate,) = crontabs.listing(again)
    assert (candidate.standing, candidate.tasks) == (Standing.CANDIDATE, 1)


@pytest.mark.parametrize(
    "other",
    [Identity("beta", "daemon", OTHER_MACHINE), Identity("old", "mail", MACHINE)],
    ids=["another machine", "another user of the machine"],
)
def test_a_crontab_that_nothing_connects_with_another_begins_by_itself(environment, other):
    make(under(environment, OLD))
    assert names(under(environment, other)) == []


def test_two_machines_of_the_same_name_can_both_be_there(environment):
    make(under(environment, OLD))
    twin = under(environment, replace(OLD, machine=OTHER_MACHINE))
    crontabs.start_new(twin, ME)
    assert names(twin) == []
    assert names(under(environment, OLD)) == ["Backup"]


def test_a_crontab_from_before_machines_were_known_gets_its_machine(environment):
    make(under(environment, replace(OLD, machine=None)))
    assert names(under(environment, OLD)) == ["Backup"]
    with pytest.raises(UnknownCrontab):
        tasks.listing(under(environment, replace(OLD, host="new")))


def test_an_answer_is_taken_once_and_only_for_what_may_be_ours(environment):
    make(under(environment, OLD))
    make(under(environment, Identity("beta", "mail", OTHER_MACHINE)))
    new = under(environment, replace(OLD, host="new"))
    candidate, other = crontabs.listing(new)
    assert (candidate.host, other.standing) == ("old", Standing.OTHER)
    with pytest.raises(NotFound):
        crontabs.continue_as(new, ME, other.id)
    crontabs.start_new(new, ME)
    with pytest.raises(Stale):
        crontabs.continue_as(new, ME, candidate.id)
    with pytest.raises(PiTaskerError, match="read-only access"):
        crontabs.start_new(replace(new, read_only=True), ME)


def test_nothing_of_the_crontab_changes_until_a_person_has_answered(environment, crontab):
    make(under(environment, OLD), system_managed=True)
    before = crontab.read()
    new = under(environment, replace(OLD, host="new"))
    with pytest.raises(UnknownCrontab):
        tasks.create(new, ME, tasks.NewTask("More", "0 3 * * *", "/bin/more"))
    assert crontab.read() == before


# --- Where it is asked ----------------------------------------------------------------------------


@pytest.fixture
def renamed(environment, cli_environment, monkeypatch):
    """This machine has another name than when a task was created."""
    make(environment)
    for name, value in {**cli_environment, "PITASKER_HOST": "new-name"}.items():
        monkeypatch.setenv(name, value)
    return under(environment, identity.current("new-name"))


@pytest.fixture
def needs_machine_id():
    if identity.machine_id() is None:
        pytest.skip("this machine has no machine id")


@pytest.mark.usefixtures("needs_machine_id", "renamed")
def test_the_command_line_asks_and_takes_the_answer(cli, capsys, monkeypatch):
    monkeypatch.setenv("PITASKER_HOST", "new-name")
    assert cli("list") == 3
    asked = capsys.readouterr().err
    number = int(asked.partition("crontabs continue ")[2].partition("`")[0])
    assert cli("crontabs", "list") == 0
    assert "may be ours" in capsys.readouterr().out
    assert cli("crontabs", "continue", str(number)) == 0
    capsys.readouterr()
    assert cli("list") == 0
    assert "Backup" in capsys.readouterr().out


@pytest.mark.usefixtures("needs_machine_id")
def test_the_api_asks_and_takes_the_answer_by_a_token_of_the_known_crontab(environment, renamed):
    token = tokens.create(environment, ME, "phone", Role.WRITE)
    look = tokens.create(environment, ME, "screen", Role.READ)
    app = Starlette(routes=[Mount("/api", make_api())], middleware=[Middleware(Gate)])
    client = TestClient(app, "http://127.0.0.1:8501", headers={"authorization": f"Bearer {token}"})
    asked = client.get("/api/tasks")
    assert (asked.status_code, asked.json()["error"]["code"]) == (409, "UNKNOWN_CRONTAB")
    (candidate,) = client.get("/api/crontabs").json()["crontabs"]
    assert candidate["standing"] == "may be ours"
    answer = f"/api/crontabs/{candidate['id']}/continue"
    reading = {"authorization": f"Bearer {look}"}
    assert client.post(answer, headers=reading).status_code == 403
    assert client.post(answer).json()["crontabs"][0]["standing"] == "ours"
    assert [task["name"] for task in client.get("/api/tasks").json()["tasks"]] == ["Backup"]


@pytest.mark.usefixtures("needs_machine_id", "renamed")
def test_each_page_asks_and_takes_the_answer(open_page):
    for page in ("overview", "tasks", "settings"):
        app = open_page(page, PITASKER_HOST="new-name")
        assert "Which crontab is" in said(app)
    (answer,) = [button for button in app.button if button.label.startswith("Continue as")]
    answer.click().run()
    assert "Which crontab is" not in said(app)
    assert not app.exception


def test_the_machine_id_is_what_systemd_makes_of_it(tmp_path):
    file = tmp_path / "machine-id"
    file.write_text("3d1219c7c4c5404aaa1f6d2a48adfda4\n")
    # systemd-id128 machine-id --app-specific=f3b0c6a15d1e4b7e9f432f0a8c6d7e15
    assert identity.machine_id(file) == str(UUID("3f1618814d61487f96f5251a211279b4"))
    file.write_text("uninitialized\n")
    identity.machine_id.cache_clear()
    assert identity.machine_id(file) is None
    assert identity.machine_id(tmp_path / "none") is None


# --- The database -------------------------------------------------------------------------------


@pytest.fixture
def before_scopes(empty_database_url):
    """A database whose rows may lack a crontab."""
    url = make_url(empty_database_url).set(drivername="postgresql+psycopg")
    engine = create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(database._MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0005")
    with engine.begin() as connection:
        yield connection
    engine.dispose()


ROWS = """
insert into tasks (id, name, cron_schedule, command, crontab) values
    (1, 'Anyone''s', '@daily', 'true', null), (2, 'Last''s', '@daily', 'true', (
        select max(id) from crontabs));
insert into tokens (name, sha256, may_write) values ('phone', 'ab', true);
insert into settings (key, value) values
    ('preferences', '{"keep_snapshots": 77}'), ('job:sync', '{}'),
    ('conflicts:' || (select max(id) from crontabs), '{"a": "b"}');
insert into events (actor, kind, task) values ('me', 'first', 1), ('me', 'second', 2);
insert into runs (task, started_at, source) values (2, now(), 'recorded');
"""


def test_rows_of_no_crontab_go_to_the_only_one(before_scopes, environment, empty_database_url):
    before_scopes.execute(text("""insert into crontabs (host, "user") values ('old', 'daemon')"""))
    before_scopes.execute(text(ROWS))
    before_scopes.commit()
    ours = under(replace(environment, database_url=empty_database_url), OLD)
    assert names(ours) == ["Anyone's", "Last's"]
    assert preferences.read(ours).keep_snapshots == 77
    assert [token.name for token in tokens.listing(ours)] == ["phone"]
    assert len(audit.listing(ours, 9)) == 2


def test_rows_of_no_crontab_go_to_the_oldest_of_several_and_settings_to_each(
    before_scopes, environment, empty_database_url
):
    before_scopes.execute(
        text("""
            insert into crontabs (host, "user") values ('old', 'daemon'), ('beta', 'mail')
        """)
    )
    before_scopes.execute(text(ROWS))
    before_scopes.commit()
    there = replace(environment, database_url=empty_database_url)
    first, last = under(there, OLD), under(there, Identity("beta", "mail", OTHER_MACHINE))
    assert (names(first), names(last)) == (["Anyone's"], ["Last's"])
    for ours, kind in ((first, "first"), (last, "second")):
        assert preferences.read(ours).keep_snapshots == 77
        assert [event.kind for event in audit.listing(ours, 9)] == [kind]
    assert (len(tokens.listing(first)), len(tokens.listing(last))) == (1, 0)
    with database.session(last) as session:
        keys = session.scalars(
            text("select key from settings union select key from state order by key")
        ).all()
    assert [key.partition(":")[0] for key in keys] == ["conflicts", "preferences"]


@pytest.fixture
def owned_by_another(cluster):
    """A database whose owner is not a superuser, as is usual for DATABASE_URL."""
    name = f"owned_{uuid4().hex}"
    cluster.execute(f"create role {name} login", f"create database {name} owner {name}")
    yield make_url(cluster.url(name)).set(username=name).render_as_string(hide_password=False)
    cluster.drop(name)
    cluster.execute(f"drop role {name}")


def test_an_ordinary_owner_of_the_database_is_kept_to_its_rows_too(environment, owned_by_another):
    there = replace(environment, database_url=owned_by_another)
    ours, theirs = under(there, OLD), under(there, Identity("beta", "mail", OTHER_MACHINE))
    make(ours)
    with database.session(theirs) as session:
        assert session.scalar(text("select count(*) from tasks")) == 0
        assert session.execute(text("delete from tasks")).rowcount == 0
    assert names(ours) == ["Backup"]


@pytest.fixture
def owned_by_one_who_passes(cluster, owned_by_another):
    """As `owned_by_another`. PostgreSQL hides no rows from the owner, who cannot create roles."""
    cluster.execute(f"alter role {make_url(owned_by_another).username} bypassrls")
    return owned_by_another


def test_an_owner_whom_postgresql_cannot_keep_apart_is_refused_with_the_way_out(
    environment, owned_by_one_who_passes
):
    there = replace(environment, database_url=owned_by_one_who_passes)
    with pytest.raises(DatabaseError, match="bypasses row-level security") as refused:
        names(there)
    assert "nobypassrls" in refused.value.advice


def test_a_database_that_keeps_nobody_apart_is_mended_before_it_is_used(environment):
    make(under(environment, OLD))
    with database.administer(environment) as connection:
        connection.execute(text("alter table tasks disable row level security"))
    assert names(under(environment, Identity("beta", "mail", OTHER_MACHINE))) == []
