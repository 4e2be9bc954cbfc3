"""Bytes that are not UTF-8 stop nothing: they are kept, shown and reported everywhere."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from starlette.testclient import TestClient

from pitasker_core import database, tasks
from pitasker_core.base.actor import Actor
from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.base.storable import is_storable, storable, storable_data
from pitasker_core.runs import history as runs
from pitasker_core.runs import spool
from pitasker_core.server.api.app import make
from pitasker_core.server.auth import Role
from pitasker_core.sync import importing, operation_history, service
from pitasker_core.sync.merge import Policy
from pitasker_core.sync.service import Request
from tests.helpers.examples import ME, create
from tests.helpers.pages import PAGES

CAFE = b"caf\xe9"
JSON = {"content-type": "application/json"}


def change_by_hand(crontab, before: bytes, after: bytes) -> None:
    assert before in crontab.read()
    crontab.write(crontab.read().replace(before, after))


@given(st.text(st.characters(codec=None), max_size=40))
def test_any_text_becomes_storable_and_storable_text_stays_as_it_is(some):
    assert is_storable(storable(some))
    assert storable(storable(some)) == storable(some)
    assert storable(some) == some or not is_storable(some)
    json.dumps(storable_data({some: [some]}), ensure_ascii=False).encode()


@pytest.mark.parametrize("some", ["a\udce9b", "a\0b"])
def test_the_database_takes_any_text_in_every_kind_of_column(environment, some):
    with database.session(environment) as session:
        as_text, as_list, as_json = session.execute(
            text("select cast(:a as text), cast(:b as text[]), cast(:c as jsonb)"),
            {"a": some, "b": [some], "c": database._json({"key": [some]})},
        ).one()
    assert as_list == [as_text]
    assert as_json == {"key": [as_text]}
    assert as_text.startswith("a\\")


def test_an_entry_below_a_comment_with_foreign_bytes_is_imported_and_followed(environment, crontab):
    crontab.write(b"# " + CAFE + b"\n0 1 * * * /bin/a\n")
    (task,) = importing.import_entries(environment, ME).imported
    change_by_hand(crontab, b"0 1", b"0 2")
    service.sync(environment, Request(Actor.BACKGROUND))
    assert tasks.get(environment, task).schedule == "0 2 * * *"
    assert crontab.read().startswith(b"# " + CAFE + b"\n0 2 * * * /bin/a # PITASKER_ID:")
    tasks.delete(environment, ME, task)
    assert crontab.read() == b"# " + CAFE + b"\n"


@pytest.mark.parametrize(
    ("before", "after"), [(b"/bin/a", b"/bin/\xe9"), (b"0 2", b"0 2\xe9")], ids=["command", "hour"]
)
def test_a_task_whose_entry_got_foreign_bytes_waits_and_the_others_go_on(
    environment, crontab, before, after
):
    task = create(environment, "A", command="/bin/a")
    other = create(environment, "B", schedule="0 9 * * *", command="/bin/b")
    change_by_hand(crontab, before, after)
    change_by_hand(crontab, b"0 9", b"0 8")
    written = crontab.read()
    service.sync(environment, Request(Actor.BACKGROUND))
    assert tasks.get(environment, other.id).schedule == "0 8 * * *"
    assert "not UTF-8" in tasks.get(environment, task.id).sync_error
    assert crontab.read() == written


def test_the_database_wins_over_foreign_bytes_and_says_that_undo_has_not_kept_them(
    environment, crontab
):
    task = create(environment, command="/bin/a")
    written = crontab.read()
    change_by_hand(crontab, b"/bin/a", b"/bin/\xe9")
    tag = tasks.get(environment, task.id).tag
    done = service.sync(environment, Request(ME, choices={tag: Policy.DATABASE}))
    assert crontab.read() == written
    assert not done.failures
    with pytest.raises(InvalidSyntax, match="not UTF-8"):
        tasks.undo_operation(
            environment, ME, operation_history.operation(environment, done.operation)
        )
    assert crontab.read() == written


def test_a_conflict_with_foreign_bytes_is_recorded_and_the_task_can_be_deleted(
    environment, crontab
):
    task = create(environment, command="/bin/a")
    with database.session(environment) as session:
        session.execute(text("update tasks set command = '/bin/here'"))
    change_by_hand(crontab, b"/bin/a", b"/bin/\xe9")
    done = service.sync(environment, Request(ME))
    assert len(done.plan.conflicts) == 1
    tasks.delete(environment, ME, task.id)
    service.sync(environment, Request(ME, policy=Policy.DATABASE))
    assert not crontab.read()


@pytest.mark.parametrize("line", [b"1\xe9 5 * * * /bin/a\n", b"1 5 * * * /bin/\xe9\n"])
@pytest.mark.parametrize("managed", [True, False])
def test_an_entry_with_foreign_bytes_is_refused_by_an_import_with_the_reason(
    environment, crontab, line, managed
):
    crontab.write(line + b"0 1 * * * /bin/b\n")
    done = importing.import_entries(
        environment, ME, options=importing.ImportOptions(system_managed=managed)
    )
    assert list(done.errors) == [1]
    assert "not UTF-8" in done.errors[1]
    assert len(done.imported) == 1
    assert crontab.read().startswith(line)


@pytest.mark.parametrize(
    "words",
    [
        ("edit", "1", "--notes", "\udcff"),
        ("edit", "1", "--label", "\udcff"),
        ("edit", "1", "--name", "\udcff"),
        ("edit", "1", "--command", "\udcff"),
        ("edit", "1", "--schedule", "\udcff"),
        ("add", "\udcff", "@daily", "/bin/a"),
        ("token", "new", "\udcff"),
    ],
)
def test_an_argument_with_foreign_bytes_is_refused_as_one(environment, cli, capsys, words):
    create(environment)
    assert cli(*words, "--json") == 3
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "INVALID_SYNTAX"


@pytest.mark.parametrize("words", [("restore", "\udcff"), ("notify", "test", "\udcff")])
def test_a_name_with_foreign_bytes_is_not_found(cli, capsys, words):
    assert cli(*words, "--json") == 3
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize(
    "words",
    [
        ("edit", "99999999999", "--notes", "x"),
        ("remove", "99999999999"),
        ("undo-remove", "99999999999"),
        ("run", "99999999999"),
        ("why", "99999999999"),
        ("output", "99999999999999999999"),
        ("snapshots", "--show", "99999999999"),
        ("restore", "99999999999"),
        ("token", "revoke", "99999999999"),
    ],
    ids=lambda words: words[0],
)
def test_a_number_larger_than_any_id_is_not_found(cli, capsys, words):
    assert cli(*words, "--json") == 3
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "NOT_FOUND"


def test_every_page_shows_a_crontab_with_foreign_bytes(environment, crontab, open_page):
    crontab.write(b"# " + CAFE + b"\nF=\xe9\n0 1 * * * /bin/a\n1\xe9 5 * * * /bin/\xe9\n")
    importing.import_entries(environment, ME)
    change_by_hand(crontab, b"/bin/a", b"/bin/a\xe9")
    service.sync(environment, Request(Actor.BACKGROUND))
    for page in PAGES:
        open_page(page)


@pytest.fixture
def client(cli_environment, monkeypatch):
    """The API in this process, without its gate."""
    for name, value in cli_environment.items():
        monkeypatch.setenv(name, value)
    app = make()
    return TestClient(app, raise_server_exceptions=False)


def test_the_api_answers_with_foreign_bytes_and_takes_a_choice_that_was_shown_them(
    environment, crontab, client
):
    async def writing(scope, receive, send):
        scope.setdefault("state", {})["role"] = Role.WRITE
        await app(scope, receive, send)

    app = client.app
    writer = TestClient(writing, raise_server_exceptions=False)
    task = create(environment, command="/bin/a")
    written = crontab.read()
    change_by_hand(crontab, b"/bin/a", b"/bin/\xe9")
    assert tasks.change(environment, ME, task.id, schedule="0 3 * * *").failures == {}
    [conflict] = writer.get("/conflicts").json()
    assert conflict["crontab"]["command"] == "/bin/\udce9"
    for path, body in (("/crontab/sync", {}), ("/crontab/export", {"tasks": [task.id]})):
        assert writer.post(path, json=body).json()["conflicts"] == [conflict]
    choice = {"take": "database", **{side: conflict[side] for side in ("database", "crontab")}}
    answer = writer.post(
        f"/conflicts/{conflict['crontabId']}/resolve", content=json.dumps(choice), headers=JSON
    )
    assert answer.status_code == 200, answer.text
    assert crontab.read() == written.replace(b"0 2 *", b"0 3 *")


@pytest.mark.parametrize("some", ["a\0b", "a\ud800b"])
@pytest.mark.parametrize("field", ["name", "command", "cronSchedule", "notes", "labels"])
def test_the_api_refuses_what_the_database_cannot_keep(environment, crontab, client, field, some):
    values = {"name": "A", "cronSchedule": "@daily", "command": "/bin/a"}
    values[field] = [some] if field == "labels" else some
    answer = client.post("/tasks", content=json.dumps(values), headers=JSON)
    assert answer.status_code in (400, 422)
    assert not tasks.listing(environment).tasks


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/tasks/99999999999"),
        ("DELETE", "/tasks/99999999999"),
        ("GET", "/runs/99999999999999999999"),
        ("GET", "/snapshots/99999999999"),
    ],
)
def test_the_api_finds_nothing_under_a_number_larger_than_any_id(environment, client, method, path):
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")


def test_a_record_that_cannot_be_kept_is_put_aside_and_holds_up_no_other(environment):
    task = create(environment)
    environment.spool.mkdir(parents=True)
    started = 1_700_000_000
    numbers = {
        "1-1-1": {"exit_code": 10**30},
        "1-2-2": {"exit_code": "x"},
        "1-3-3": {"ended": 1e300},
        "9999999999-4-4": {"exit_code": 0},
        f"{task.id}-5-5": {"exit_code": 7},
    }
    for name, ended in numbers.items():
        record = {"started": started, "ended": started + 1, **ended}
        (environment.spool / f"{name}.json").write_text(json.dumps(record))
    spool.collect(environment)
    assert [run.exit_code for run in runs.runs(environment)] == [7]
    assert sorted(file.name for file in environment.spool.iterdir()) == [
        f"{name}.json.unreadable" for name in list(numbers)[:4]
    ]
