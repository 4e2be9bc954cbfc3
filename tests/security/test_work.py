"""Typed, sent and printed texts cost a limited amount of time and memory."""

import signal
from contextlib import contextmanager
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import text

from pitasker_core import database, tasks
from pitasker_core.base.errors import DatabaseError, InvalidSyntax
from pitasker_core.crontab import command
from pitasker_core.crontab.difference import difference
from pitasker_core.crontab.doctor.examination import examine_draft
from pitasker_core.crontab.document import parse
from pitasker_core.dashboard import terminal_output
from pitasker_core.notifications import channels, rules
from pitasker_core.notifications.rules import Rules
from pitasker_core.server import tokens
from pitasker_core.server.api import requests
from pitasker_core.server.auth import Role


@contextmanager
def bounded(seconds=20.0):
    """Fail after this much CPU time of the process. Each attack here took minutes or more."""

    def expired(*_):
        raise AssertionError("this takes too much work")

    before = signal.signal(signal.SIGVTALRM, expired)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


# --- Differences ----------------------------------------------------------------------------------


def patched(before, hunks):
    """Apply the hunks of a unified diff to a text, as `patch` does."""
    old = before.split("\n")
    new, at = [], 0
    for line in hunks.split("\n") if hunks else []:
        if line.startswith("@@"):
            start, _, length = line.split()[1].removeprefix("-").partition(",")
            to = int(start) - (length != "0")
            new += old[at:to]
            at = to
        elif line.startswith("+"):
            new.append(line[1:])
        else:
            assert old[at] == line[1:]
            at += 1
            new += [line[1:]] * line.startswith(" ")
    return "\n".join([*new, *old[at:]])


few_lines = st.lists(st.sampled_from("abcdefg"), max_size=15).map("\n".join)


@given(few_lines, few_lines)
def test_a_difference_makes_of_one_text_the_other(before, after):
    before, after = f"{before}\n", f"{after}\n"
    proof = difference(before, after)
    assert patched(before, proof.text) == after
    assert bool(proof) == (before != after)
    assert proof.identical + proof.changed + proof.removed == before.count("\n")
    assert proof.identical + proof.changed + proof.added == after.count("\n")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=30))
def test_lines_that_get_tags_are_changed_and_none_is_added_or_removed(lines):
    before = "".join(f"{text}\n" for text, _ in lines)
    after = "".join(f"{text}{f' # {i}' * tagged}\n" for i, (text, tagged) in enumerate(lines))
    proof = difference(before, after)
    assert (proof.added, proof.removed) == (0, 0)
    assert proof.changed == sum(tagged for _, tagged in lines)


@pytest.mark.parametrize(
    "lines",
    [
        lambda n: [str(i // 2) for i in range(n)],
        lambda n: ["xy"[i * i % 7 % 2] for i in range(n)],
        lambda n: [str(i * 7919 % n) for i in range(n)],
    ],
    ids=["each twice", "two kinds", "all differ"],
)
def test_texts_of_ten_thousand_lines_are_compared_whatever_they_are(lines):
    before = lines(10_000)
    with bounded():
        proof = difference("\n".join(before), "\n".join(sorted(before, reverse=True)))
    assert proof.identical + proof.changed + proof.removed == 10_000


def test_a_change_is_seen_for_what_it_is_in_ten_thousand_lines():
    before = [f"{i % 50} * * * * job" for i in range(10_000)]
    after = [*before[:4000], "new", *before[4000:9000], *before[9001:]]
    assert str(difference("\n".join(before), "\n".join(after))) == (
        "1 line added, 1 line removed, 9999 identical"
    )


# --- What a job prints ----------------------------------------------------------------------------


def test_a_colour_with_thousands_of_digits_is_shown():
    (line,) = terminal_output.lines(b"\x1b[" + b"1" * 5000 + b"mx")
    assert terminal_output.words(line) == "x"


def test_searching_a_long_line_of_colours_ends():
    output = (b"\x1b[31mx\x1b[32my" * 13_000)[: 128 * 1024]
    with bounded():
        page = terminal_output.html(
            terminal_output.with_words(terminal_output.lines(output), "xy"), "xy"
        )
    assert page.count("<mark>x</mark>") == page.count("<mark>y</mark>") > 10_000


def test_a_line_that_is_written_over_is_drawn_in_few_pieces():
    with bounded():
        (line,) = terminal_output.lines(b"\x1b[31m" + b"a" * 60_000 + b"\r" * 60_000 + b"b")
    assert [text for text, _ in line] == ["b" + "a" * 59_999]


pieces = st.lists(st.text("abA", max_size=4), max_size=6)


@given(pieces, st.text("abA", min_size=1, max_size=3))
def test_what_is_looked_for_is_marked_over_pieces_of_any_size(texts, find):
    line = [(text, terminal_output.Style(ink=number)) for number, text in enumerate(texts)]
    marked = list(terminal_output._marked(line, find))
    assert "".join(text for text, _, _ in marked) == "".join(texts)
    hits = "".join(("#" if hit else ".") * len(text) for text, _, hit in marked)
    left, expected = "".join(texts).lower(), ""
    while left:
        hit = left.startswith(find.lower())
        length = len(find) if hit else 1
        expected += ("#" if hit else ".") * length
        left = left[length:]
    assert hits == expected


# --- What is typed and sent -----------------------------------------------------------------------


@pytest.mark.parametrize("words", ["a=b " * 500_000, "x" * 2_000_000, "%" * 2_000_000])
def test_a_command_of_two_million_characters_is_not_read(words):
    with bounded():
        command.main_program(words)
        draft = examine_draft(parse(""), "@daily", words)
    assert {finding.severity for finding in draft} <= {"high", "medium"}


NEW = ("Backup", "0 2 * * *", "true")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("labels", ["x"] * 100_000),
        ("labels", ["x" * 1000]),
        ("labels", [""]),
        ("notes", "x" * 2_000_000),
        ("ping_url", "https://example.org/" + "x" * 2_000_000),
    ],
)
def test_a_task_has_a_limit_for_each_text_and_list_at_every_door(environment, field, value):
    with pytest.raises(InvalidSyntax):
        tasks.create(environment, "tester", tasks.NewTask(*NEW, **{field: value}))
    (task,) = tasks.create(environment, "tester", tasks.NewTask(*NEW)).tasks
    with pytest.raises(InvalidSyntax):
        tasks.change(environment, "tester", task.id, **{field: value})
    assert tasks.get(environment, task.id) == task


@pytest.mark.parametrize(
    ("model", "sent"),
    [
        (
            requests.NewTask,
            {"name": "a", "cronSchedule": "@daily", "command": "a", "labels": ["x"]},
        ),
        (requests.TaskChange, {"labels": ["x"]}),
        (requests.TaskChange, {"notify": ["failed"]}),
        (requests.Import, {"lines": [1]}),
        (requests.Export, {"tasks": [1]}),
        (requests.Sync, {"tasks": [1]}),
    ],
)
def test_every_list_of_the_api_has_a_limit(model, sent):
    model.model_validate(sent)
    longer = {
        name: value * 10_001 if isinstance(value, list) else value for name, value in sent.items()
    }
    with pytest.raises(ValidationError, match="at most"):
        model.model_validate(longer)


def test_a_query_for_who_may_only_look_ends(environment, monkeypatch):
    monkeypatch.setattr(database, "READ_SECONDS", 0.05)
    looking = replace(environment, read_only=True)
    with pytest.raises(DatabaseError, match="timeout"), database.session(looking) as session:
        session.execute(text("select pg_sleep(60)"))


@pytest.mark.parametrize(
    "act",
    [
        lambda s: tokens.create(s, "tester", "x" * 101, Role.READ),
        lambda s: channels.add(s, "tester", "a", "json://example.org/" + "x" * 2000),
        lambda s: rules.check(Rules(title="x" * 201)),
        lambda s: rules.check(Rules(body="x" * 5001)),
    ],
)
def test_names_and_texts_of_settings_have_limits(environment, act):
    with pytest.raises(InvalidSyntax, match="at most"):
        act(environment)
