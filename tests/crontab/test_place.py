"""A removed entry returns to its place with its comment, byte for byte."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pitasker_core.crontab import place
from pitasker_core.crontab.document import parse
from pitasker_core.crontab.place import LINES_AROUND, place_of
from pitasker_core.sync.merge import Fields
from pitasker_core.sync.sides import BaseEntry
from tests.helpers.world import World, deleted, task, with_task

ONE, TWO, THREE = (UUID(int=number) for number in (1, 2, 3))
TAGS = [ONE, TWO, THREE]


def line(tag, before="0 5 * * * /bin/job", behind=""):
    return f"{before} # PITASKER_ID:{tag}{behind}\n"


def world(text, own=()):
    """Return a crontab in sync with its tasks. PiTasker wrote the comments of those in `own`."""
    document = parse(text)
    tasks_by_tag, base = {}, {}
    for tag, indexes in document.by_tag.items():
        entry = document.entry(indexes[0])
        comment = document.comment_above(indexes[0])
        name = comment if tag in own else f"Task {tag.int}"
        fields = Fields(name, entry.schedule, entry.command, entry.paused)
        tasks_by_tag[tag] = task(fields)._replace(task=tag.int)
        base[tag] = BaseEntry(fields, comment, tag in own)
    return World(text, tasks_by_tag, base)


def with_entry(state, tag, on):
    return replace(
        state,
        tasks_by_tag={**state.tasks_by_tag, tag: state.tasks_by_tag[tag]._replace(wants_entry=on)},
    )


def switched(state, *tags, on):
    for tag in tags:
        state = with_entry(state, tag, on)
    return state.synced()


def back(state, text):
    """Return the text with the restored entry, after somebody wrote `text` without it."""
    return switched(replace(switched(state, ONE, on=False), text=text), ONE, on=True)


NEIGHBOURS = [
    *("\n", "# A comment\n", "# A comment\n", "A=b\n", 'MAILTO=""\n', "PATH=/bin\n", " \t\n"),
    *("@daily x\n", "@daily x\n", "0 5 * * * echo caf\udce9\n", "61 * * * * bad\n", "#\n"),
]
ENTRIES = ["  0\t5 * * *  /bin/job", "#0 5 * * * /bin/job", " #  @daily a", "0 22-6 * * * /bin/odd"]


@st.composite
def worlds(draw):
    """Draw a crontab with one to three managed entries. PiTasker wrote the names of some."""
    text, own = draw(st.lists(st.sampled_from(NEIGHBOURS), max_size=4).map("".join)), set()
    for tag in TAGS[: draw(st.integers(1, 3))]:
        if draw(st.booleans()):
            own.add(tag)
            text += f"# Name {tag.int}\n"
        text += line(tag, draw(st.sampled_from(ENTRIES)), draw(st.sampled_from(["", " ask me"])))
        text += draw(st.lists(st.sampled_from(NEIGHBOURS), max_size=3).map("".join))
    return world(text, own)


@given(worlds(), st.data())
@settings(max_examples=80)
def test_off_and_on_restores_the_very_bytes(before, data):
    tags = data.draw(st.permutations(list(before.tasks_by_tag)))
    state = before
    if data.draw(st.booleans(), "all at once"):
        state = switched(switched(state, *tags, on=False), *tags, on=True)
    else:
        for tag in tags:
            state = switched(state, tag, on=False)
        for tag in data.draw(st.permutations(tags)):
            state = switched(state, tag, on=True)
    assert state.text == before.text
    assert state.base.keys() == before.base.keys()
    owned = {tag for tag, agreed in state.base.items() if agreed.comment_is_ours}
    assert owned == {tag for tag, agreed in before.base.items() if agreed.comment_is_ours}
    assert state.plan().changes == ()


@given(worlds(), st.lists(st.tuples(st.integers(0, 20), st.sampled_from(NEIGHBOURS)), max_size=3))
@settings(max_examples=80)
def test_an_entry_that_comes_back_has_its_settings_or_its_note(before, lines):
    out = switched(before, ONE, on=False)
    text = out.text.splitlines(keepends=True)
    for at, new in lines:
        text.insert(min(at, len(text)), new)
    state = with_entry(replace(out, text="".join(text)), ONE, on=True)
    _, done = state.carried()
    was, now = parse(before.text), done.document
    settings_then, settings_now = (
        document.environment(document.by_tag[ONE][0]) for document in (was, now)
    )
    assert settings_then == settings_now or done.notes[ONE]
    others = [row for row in now.lines if getattr(row, "tag", None) != ONE]
    assert "".join(row.raw for row in others).replace("# Name 1\n", "") == "".join(text)


@pytest.mark.parametrize("above", ["# Ask before changing this!\n", "#0 4 * * * /opt/b --full\n"])
def test_a_persons_comment_keeps_its_entry(above):
    before = world(f"{above}{line(ONE)}{line(TWO)}")
    out = switched(before, ONE, on=False)
    assert out.text == f"{above}{line(TWO)}"
    assert out.plan().changes == ()
    assert switched(out, ONE, on=True).text == before.text


def test_an_entry_edited_while_it_was_out_comes_back_with_its_layout_and_new_values():
    out = switched(
        world(f"A=b\n\t0 5 * * *  a # PITASKER_ID:{ONE} ask me\n@daily x\n"), ONE, on=False
    )
    edited = with_task(replace(out), schedule="@hourly", command="b%in")
    assert switched(edited, ONE, on=True).text == (
        f"A=b\n\t@hourly  b # PITASKER_ID:{ONE} ask me%in\n@daily x\n"
    )


def test_an_entry_comes_back_between_its_neighbours_also_where_these_were_edited():
    state = world(f"@daily x\n{line(TWO)}{line(ONE)}@daily y\n")
    edited = line(TWO, "0 6 * * * /bin/other")
    assert back(state, f"@hourly new\n@daily x\n{edited}@daily z\n").text == (
        f"@hourly new\n@daily x\n{edited}{line(ONE)}@daily z\n"
    )


def test_our_comment_that_was_left_alone_is_not_written_twice():
    state = world(f"@daily x\n# Job\n{line(ONE)}@daily y\n", {ONE})
    by_hand = replace(state, text="@daily x\n# Job\n@daily y\n").synced()
    by_hand.left.update(switched(state, ONE, on=False).left)
    assert switched(by_hand, ONE, on=True).text == state.text


def test_where_the_neighbours_are_gone_the_entry_stands_at_the_end_and_its_settings_are_said():
    out = switched(world(f"MAILTO=me\nPATH=/opt\n@daily x\n{line(ONE)}@daily y\n"), ONE, on=False)
    state = with_entry(replace(out, text='MAILTO=""\n@daily z\n'), ONE, on=True)
    _, done = state.carried()
    assert str(done.document).endswith(f"@daily z\n# Task 1\n{line(ONE)}")
    assert done.notes[ONE] == (
        'Its old place in the crontab is gone, so it is in a new one: MAILTO="", no PATH.'
    )


def test_where_the_settings_above_were_changed_the_place_is_kept_and_they_are_said():
    out = switched(world(f"MAILTO=me\n@daily x\n{line(ONE)}@daily y\n"), ONE, on=False)
    state = with_entry(replace(out, text="MAILTO=you\n@daily x\n@daily y\n"), ONE, on=True)
    _, done = state.carried()
    assert str(done.document) == f"MAILTO=you\n@daily x\n{line(ONE)}@daily y\n"
    assert done.notes[ONE].endswith("but under other environment lines than before: MAILTO=you.")


def test_a_new_setting_between_the_neighbours_does_not_reach_the_entry():
    state = world(f"@daily x\n\n{line(ONE)}@daily y\n")
    assert back(state, "@daily x\n\nA=b\n@daily y\n").text == (
        f"@daily x\n\n{line(ONE)}A=b\n@daily y\n"
    )


def test_an_entry_does_not_come_between_another_one_and_its_comment():
    state = world(f"@daily x\n{line(ONE)}@daily y\n")
    assert back(state, "# New\n@daily y\n").text == f"{line(ONE)}# New\n@daily y\n"


def test_a_deleted_task_that_comes_back_stands_in_its_place():
    before = world(f"# Job\n{line(ONE)}@daily y\n", {ONE})
    gone = deleted(replace(before, tasks_by_tag=before.tasks_by_tag)).synced()
    assert gone.text == "@daily y\n"
    assert switched(gone, ONE, on=True).text == before.text


class CountedLines(tuple):
    """Lines that count how many of them a slice or a walk has read."""

    read = 0

    def __getitem__(self, key):
        part = super().__getitem__(key)
        self.read += len(part) if isinstance(key, slice) else 1
        return part

    def __iter__(self):
        self.read += len(self)
        return super().__iter__()


def test_the_places_of_many_entries_read_only_the_lines_around_each():
    document = parse("A=b\n" + "".join(line(UUID(int=number)) for number in range(300)))
    lines = CountedLines(document.lines)
    document = replace(document, lines=lines)
    for index in range(1, len(lines)):
        place_of(document, index, comment_is_ours=False)
    assert lines.read <= len(lines) * (2 * LINES_AROUND + 2)


def test_entries_that_return_read_the_whole_crontab_only_once(monkeypatch):
    lines = [line(UUID(int=number)) for number in range(1, 301)]
    document = parse("".join(lines))
    out = [number for number in range(300) if number % 2]
    places = {UUID(int=n + 1): place_of(document, n, comment_is_ours=False) for n in out}
    document = parse("".join(lines[::2]))
    keys = []
    monkeypatch.setattr(place, "_key", lambda line, key=place._key: keys.append(1) or key(line))
    finder = place.PlaceFinder(document, places)
    for number in out:
        tag = UUID(int=number + 1)
        index = finder.find(places[tag])
        above, below = document.lines[:index], document.lines[index:]
        document = replace(document, lines=(*above, *parse(lines[number]).lines, *below))
        finder.follow(document, tag, index)
    assert str(document) == "".join(lines)
    assert len(keys) <= 300 + len(out) * (2 * LINES_AROUND + 2)
