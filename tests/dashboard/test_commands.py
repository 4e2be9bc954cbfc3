"""The search box: what it offers for a query, in which order."""

from hypothesis import given
from hypothesis import strategies as st

from pitasker_core import tasks
from pitasker_core.base import clock
from pitasker_core.dashboard import commands
from pitasker_core.dashboard.commands import MOST, Act, Command, Kind, rank_commands
from pitasker_core.runs.output_search import Hit
from tests.helpers.examples import EXISTING, ME, create


def task(number, name, detail=""):
    return Command(Kind.TASK, name, detail, "tasks", {"task": str(number)})


def action(name, verb):
    return Command(Kind.ACTION, name, "", "tasks", {}, Act.RUN, 1, verb)


RUN = Command(Kind.RUN, "Backup · failed", "disk full", "runs", {"run": "7"})


def titles(query, *offered, runs=()):
    return [command.title for command in rank_commands(offered, runs, query)]


def test_a_title_that_begins_with_the_word_comes_before_one_that_contains_it():
    assert titles("back", task(1, "Feedback"), task(2, "New backup"), task(3, "Backup")) == [
        "Backup",
        "New backup",
        "Feedback",
    ]


def test_a_match_in_the_command_comes_after_one_in_the_name():
    assert titles("rsync", task(1, "Copy", "0 2 * * * rsync -a"), task(2, "Run rsync")) == [
        "Run rsync",
        "Copy",
    ]


def test_every_word_of_the_query_must_match():
    assert titles("back photos", task(1, "Backup"), task(2, "Backup the photos")) == [
        "Backup the photos"
    ]


def test_an_action_on_a_task_is_offered_only_when_its_verb_is_named():
    offered = (task(1, "Backup"), action("Run now: Backup", "run"))
    assert titles("backup", *offered) == ["Backup"]
    assert titles("run backup", *offered) == ["Run now: Backup"]


def test_runs_come_last_and_keep_some_room():
    many = [task(number, f"Backup {number}") for number in range(50)]
    assert titles("backup", *many, runs=[RUN])[-1] == RUN.title
    assert len(titles("backup", *many, runs=[RUN])) == MOST


@given(st.lists(st.text(max_size=20), max_size=30), st.text(max_size=200))
def test_the_result_is_limited_and_has_nothing_twice(names, query):
    offered = [task(number, name) for number, name in enumerate(names)]
    ranked = rank_commands(offered, [RUN], query)
    assert len(ranked) <= MOST
    assert len({command.id for command in ranked}) == len(ranked)


def test_without_a_query_the_pages_and_general_actions_are_offered(environment):
    create(environment)
    offered = commands.list_commands(tasks.listing(environment), read_only=False)
    shown = {command.title for command in rank_commands(offered, [], " ")}
    assert {"Overview", "Settings", "New task", "Sync now"} <= shown
    assert {"New task from a template", "Import files"} <= shown
    assert "Backup" not in shown


def test_tasks_and_unmanaged_entries_are_offered(environment, crontab):
    crontab.write(EXISTING)
    number = create(environment, "Photos").id
    offered = commands.list_commands(tasks.listing(environment), read_only=False)
    (photos,) = [command for command in offered if command.kind is Kind.TASK]
    assert (photos.title, photos.params) == ("Photos", {"task": str(number)})
    entries = {command.title for command in offered if command.kind is Kind.ENTRY}
    assert entries == {"Nightly backup", "cat", "hello.sh"}


def test_a_reader_is_offered_nothing_that_writes(environment):
    create(environment)
    offered = commands.list_commands(tasks.listing(environment), read_only=True)
    assert {command.act for command in offered} == {Act.OPEN, Act.WHY}
    assert "New task" not in {command.title for command in offered}


def test_a_paused_task_can_be_resumed_and_not_paused(environment):
    created = create(environment)
    tasks.change(environment, ME, created.id, paused=True)
    offered = commands.list_commands(tasks.listing(environment), read_only=False)
    acts = {command.act for command in offered}
    assert Act.RESUME in acts
    assert Act.PAUSE not in acts


def test_a_run_shows_its_line_without_terminal_codes():
    hit = Hit(7, "Backup", clock.now(), "failed", b"\x1b[31mdisk\x1b[0m full\x1b[1m")
    (command,) = commands.run_commands([hit], ["2 h ago"])
    assert (command.title, command.detail) == ("Backup · failed · 2 h ago", "disk full")
    assert command.params == {"run": "7"}
