"""An editor that was open for a long time is saved: changes made here meanwhile, and changes made
in the editor, are both kept."""

from collections import Counter
from dataclasses import replace
from uuid import UUID

from hypothesis import event, given
from hypothesis import strategies as st

from pitasker_core.crontab.document import Entry, parse
from pitasker_core.crontab.recording import PLAIN, Recorder, Recording
from pitasker_core.sync import plan_writer, sides
from pitasker_core.sync.ancestor import (
    find_ambiguous_entries,
    find_ancestor,
    is_older_text,
    trace_origin,
)
from pitasker_core.sync.merge import ChangeKind, Fields
from pitasker_core.sync.sides import BaseEntry, KnownTask
from pitasker_core.sync.stale_editor import put_back
from tests.helpers.world import RECORDER, World

# --- Random worlds, and random edits of both sides ----------------------------------------------


def tag_of(number):
    return UUID(int=number + 1)


def add_task(world, number):
    """Create a task, as `tasks.create` does."""
    fields = Fields(f"Task {number}", f"{number % 60} 1 * * *", f"/bin/task-{number}")
    tasks_by_tag = {
        **world.tasks_by_tag,
        tag_of(number): KnownTask(number, fields, wants_entry=True, is_importing=False),
    }
    return replace(world, tasks_by_tag=tasks_by_tag).synced()


def import_entry(world, number, pick):
    """Make a task of an entry, as an import does."""
    document = parse(world.text)
    free = [i for i, entry in document.entries() if entry.tag is None]
    if not free:
        return world
    index = free[pick % len(free)]
    entry, tag = document.entry(index), tag_of(number)
    fields = Fields(f"Imported {number}", entry.schedule, entry.command)
    tasks_by_tag = {
        **world.tasks_by_tag,
        tag: KnownTask(number, fields, wants_entry=True, is_importing=True),
    }
    base = {**world.base, tag: BaseEntry(fields, document.comment_above(index), False)}
    return World(world.text, tasks_by_tag, base).synced(places={tag: index})


def edit_task(world, pick, **values):
    tags = [tag for tag, task in world.tasks_by_tag.items() if task.wants_entry]
    if not tags:
        return world
    tag = tags[pick % len(tags)]
    task = world.tasks_by_tag[tag]
    if values.get("wants_entry", True):
        task = task._replace(fields=task.fields._replace(**values))
    else:
        task = task._replace(wants_entry=False)
    return replace(world, tasks_by_tag={**world.tasks_by_tag, tag: task}).synced()


PLAIN_LINES = ("# note {n}", "5 {n} * * * /plain/job-{n}", "NAME_{n}=value", "# {n}")


def insert_line(text, number, pick):
    lines = text.splitlines(keepends=True)
    line = PLAIN_LINES[number % 4].format(n=number % 23) + "\n"
    at = pick % (len(lines) + 1)
    return "".join([*lines[:at], line, *lines[at:]])


def change_line(text, number, pick, which):
    """Change, or without a `number` remove, a line that `which` selects."""
    lines = text.splitlines(keepends=True)
    fitting = [i for i, line in enumerate(lines) if which(line)]
    if not fitting:
        return text
    at = fitting[pick % len(fitting)]
    lines[at] = "" if number is None else lines[at].replace("\n", f"{number}\n")
    return "".join(lines)


def is_plain(line):
    return "PITASKER_ID" not in line and "# Task" not in line


def is_managed(line):
    return "PITASKER_ID" in line


def edited_entry(text, number, pick):
    """Change the schedule or the command of a managed entry by hand."""
    lines = text.splitlines(keepends=True)
    fitting = [i for i, line in enumerate(lines) if is_managed(line)]
    if not fitting:
        return text
    at = fitting[pick % len(fitting)]
    old, new = ((" * * * ", f" {number % 7 + 1} * * "), (" # PITASKER", f" -{number} # PITASKER"))[
        number % 2
    ]
    lines[at] = lines[at].replace(old, new)
    return "".join(lines)


numbers, picks = st.integers(100, 140), st.integers(0, 11)
raw = st.one_of(
    st.tuples(st.just("insert"), numbers, picks),
    st.tuples(st.just("change"), numbers, picks),
    st.tuples(st.just("remove"), st.none(), picks),
)
here = st.one_of(
    st.tuples(st.just("add"), numbers, picks),
    st.tuples(st.just("import"), numbers, picks),
    st.tuples(st.just("schedule"), numbers, picks),
    st.tuples(st.just("command"), numbers, picks),
    st.tuples(st.just("rename"), numbers, picks),
    st.tuples(st.just("pause"), numbers, picks),
    st.tuples(st.just("record"), numbers, picks),
    st.tuples(st.just("delete"), st.none(), picks),
    raw,
)
there = st.one_of(
    st.tuples(st.just("entry"), numbers, picks),
    st.tuples(st.just("take out"), st.none(), picks),
    raw,
)


def edited_raw(text, kind, number, pick):
    if kind == "insert":
        return insert_line(text, number, pick)
    return change_line(text, number, pick, is_plain)


def edited_here(world, kind, number, pick):
    if kind == "add":
        return world if tag_of(number) in world.tasks_by_tag else add_task(world, number)
    if kind == "import":
        return world if tag_of(number) in world.tasks_by_tag else import_entry(world, number, pick)
    values = {
        "schedule": {"schedule": f"{(number or 0) % 60} 2 * * *"},
        "command": {"command": f"/bin/other-{number}"},
        "rename": {"name": f"Task renamed {number}"},
        "pause": {"paused": True},
        "record": {"recording": Recording(on=True)},
        "delete": {"wants_entry": False},
    }
    if kind in values:
        return edit_task(world, pick, **values[kind])
    return replace(world, text=edited_raw(world.text, kind, number, pick)).synced()


def edited_there(text, kind, number, pick):
    if kind == "entry":
        return edited_entry(text, number, pick)
    if kind == "take out":
        return change_line(text, None, pick, is_managed)
    return edited_raw(text, kind, number, pick)


@st.composite
def stories(draw):
    """Draw the text of an opened editor, the world at the save, and the saved text."""
    world = World("".join(f"{line}\n" for line in ("# head", "0 9 * * * /plain/a", "")), {}, {})
    for kind, number, pick in draw(st.lists(here, max_size=6)):
        world = edited_here(world, kind, number, pick)
    opened, saved = world.text, world.text
    for kind, number, pick in draw(st.lists(here, min_size=1, max_size=4)):
        world = edited_here(world, kind, number, pick)
    for kind, number, pick in draw(st.lists(there, min_size=1, max_size=4)):
        saved = edited_there(saved, kind, number, pick)
    return opened, world, saved


class Merged:
    """Return the result of saving a text over a world by an editor opened on an older world."""

    def __init__(self, opened, world, saved, choices=None):
        self.document = parse(saved)
        ancestor, newest = parse(opened), parse(world.text)
        self.origin = trace_origin(self.document, ancestor, newest, world.tasks_by_tag, world.base)
        older = World(saved, world.tasks_by_tag, self.origin.base)
        self.plan = older.plan()
        added = {change.tag for change in self.plan.pushes if change.result}
        self.put_back = put_back(self.document, self.origin, added)
        whole = replace(older, text=str(self.put_back.document))
        self.carried = plan_writer.carry_out(
            self.put_back.document, self.plan, whole.read(), whole.base, recorders(world)
        )
        self.text = str(self.carried.document)
        self.then = sides.read(ancestor, world.tasks_by_tag, world.base).theirs
        self.now = {
            tag: task.fields for tag, task in world.tasks_by_tag.items() if task.wants_entry
        }
        self.theirs = older.read().theirs
        agreed = {**self.origin.base, **self.carried.base}
        self.base = {tag: value for tag, value in agreed.items() if value}
        self.after = sides.read(self.carried.document, world.tasks_by_tag, self.base).theirs


def recorders(world):
    return {tag: Recorder(RECORDER, task.task) for tag, task in world.tasks_by_tag.items()}


def plain_lines(text):
    """Return the lines that belong to no task."""
    lines = text.splitlines()
    return Counter(line for line in lines if is_plain(line) and line)


# --- The laws ------------------------------------------------------------------------------------


@given(stories())
def test_no_change_of_a_task_or_of_its_entry_is_lost_without_a_conflict(story):
    merged = Merged(*story)
    conflicts = {change.tag for change in merged.plan.conflicts}
    event("conflict" if conflicts else "none")
    for tag in {*merged.then, *merged.now, *merged.theirs}:
        then, now, theirs = (side.get(tag) for side in (merged.then, merged.now, merged.theirs))
        if tag in merged.carried.failures:
            continue
        if tag in conflicts:
            assert merged.after.get(tag) == theirs
            assert len({then, now, theirs}) == 3 or theirs is None
        elif theirs == then:
            assert merged.after.get(tag) == now
        else:
            assert merged.after.get(tag) == theirs
            assert now in (then, theirs)


@given(stories())
def test_no_line_that_no_task_manages_is_lost_without_a_question(story):
    opened, world, saved = story
    merged = Merged(*story)
    if merged.put_back.clashes:
        return
    then, now, theirs, after = map(plain_lines, (opened, world.text, saved, merged.text))
    event("here" if now != then else "-")
    for line in {*then, *now, *theirs}:
        lost = min(now[line] - then[line], 0) + min(theirs[line] - then[line], 0)
        assert after[line] >= then[line] + lost
        assert after[line] >= theirs[line] + min(now[line] - then[line], 0)
        if theirs[line] == then[line]:
            assert after[line] >= now[line]


@given(stories())
def test_a_sync_after_it_finds_the_same_conflicts_and_nothing_else(story):
    _, world, _ = story
    merged = Merged(*story)
    tasks_by_tag = dict(world.tasks_by_tag)
    for change in merged.plan.pulls:
        if change.tag in tasks_by_tag and change.tag not in merged.carried.failures:
            task = tasks_by_tag[change.tag]
            fields = change.result or task.fields
            tasks_by_tag[change.tag] = task._replace(
                fields=fields, wants_entry=change.result is not None
            )
    tags = {change.tag for change in World(merged.text, tasks_by_tag, merged.base).plan().changes}
    expected = {change.tag for change in merged.plan.conflicts} | merged.carried.failures.keys()
    assert tags <= expected


@given(stories())
def test_no_entry_stands_there_twice(story):
    merged = Merged(*story)
    if merged.put_back.clashes:
        return
    once = Counter(entry.tag for _, entry in merged.document.entries() if entry.tag)
    twice = Counter(entry.tag for _, entry in merged.carried.document.entries() if entry.tag)
    assert all(count <= max(1, once[tag]) for tag, count in twice.items())
    commands = Counter(e.command for _, e in merged.carried.document.entries() if not e.paused)
    for command, count in commands.items():
        if command.startswith("/plain/job"):
            before = [parse(text) for text in (story[0], story[1].text, story[2])]
            most = max(sum(1 for _, e in d.entries() if e.command == command) for d in before)
            assert count <= most or count <= sum(
                sum(1 for _, e in d.entries() if e.command == command) for d in before[1:]
            ) - sum(1 for _, e in before[0].entries() if e.command == command)


@given(stories())
def test_of_what_the_editor_saved_no_byte_changes_but_in_lines_that_were_changed_here(story):
    opened, world, saved = story
    merged = Merged(*story)
    changed = Counter(opened.splitlines()) - Counter(world.text.splitlines())
    unchanged = Counter(saved.splitlines()) - changed
    assert not unchanged - Counter(merged.text.splitlines())


@st.composite
def misjudged(draw):
    """A story whose saved text may stem from another text than PiTasker assumes."""
    opened, world, saved = draw(stories())
    base = draw(st.sampled_from([saved, world.text, opened]))
    for kind, number, pick in draw(st.lists(there, max_size=4)):
        base = edited_there(base, kind, number, pick)
    return opened, world, base


@given(misjudged())
def test_a_line_that_was_not_written_here_occurs_as_often_as_it_was_saved(story):
    opened, world, saved = story
    texts = (opened, world.text, saved, Merged(*story).text)
    then, now, theirs, after = map(plain_lines, texts)
    for line in {*then, *now, *theirs, *after}:
        if line.startswith("# Imported"):
            continue  # the name of an entry that returns at a new place
        if then[line] == now[line]:
            assert after[line] == theirs[line], line
        else:
            assert after[line] <= max(theirs[line], now[line])


# --- Which text it was made from ----------------------------------------------------------------


def line(number, schedule="0 5 * * *", command="/bin/job"):
    return f"# Task {number}\n{schedule} {command} # PITASKER_ID:{tag_of(number)}\n"


def test_a_text_was_made_from_the_one_with_whose_lines_it_agrees():
    old, new = line(1) + line(2), line(1, "0 6 * * *") + line(2) + line(3)
    assert find_ancestor(old + "# by hand\n", [new, old, ""]) == 1
    assert find_ancestor(new + "# by hand\n", [new, old, ""]) == 0


def test_a_text_with_an_entry_of_the_newest_was_not_made_from_one_without():
    texts = ["".join(map(line, range(count))) for count in (5, 4, 3, 2, 1, 0)]
    assert find_ancestor(line(4), texts) == 0


def test_a_text_with_a_name_of_the_newest_was_not_made_from_one_without():
    old = line(1)
    assert find_ancestor(old + "# Task 2\n# by hand\n", [old + line(2), old]) == 0


def test_an_entry_that_both_changed_shows_by_its_words_which_one_was_changed():
    old, new = line(1), line(1, "0 6 * * *")
    assert find_ancestor(line(1, command="/bin/job --all"), [new, old]) == 1
    assert find_ancestor(line(1, "0 6 * * *", "/bin/job --all"), [new, old]) == 0


def test_of_texts_that_are_as_near_the_newest_was_changed():
    assert find_ancestor(line(1, "0 7 * * *"), [line(1, "0 6 * * *"), line(1)]) == 0


def is_old(saved, new, old):
    assert find_ancestor(saved, [new, old]) == 1
    return is_older_text(saved, old, new)


def test_a_plain_deletion_of_an_imported_entry_is_no_old_editor():
    old = "# ask\n0 4 * * * /bin/hand2\n0 5 * * * /bin/other\n"
    new = old.replace("hand2", f"hand2 # PITASKER_ID:{tag_of(2)}")
    saved = "# ask\n0 4 * * * /bin/hand3\n0 5 * * * /bin/other\n"
    assert not is_old(saved, new, old)
    assert find_ambiguous_entries(*map(parse, (saved, old, new))) == frozenset()


def test_an_entry_deleted_with_its_name_and_lines_added_may_be_an_old_editor():
    saved, new, old = line(1) + "# by hand\n", line(1) + line(2), line(1)
    assert not is_old(saved, new, old)
    assert find_ambiguous_entries(*map(parse, (saved, old, new))) == {tag_of(2)}


def test_a_text_that_is_an_older_one_to_the_byte_came_back():
    assert is_old(line(1), line(1) + line(2), line(1))


def test_two_entries_of_the_newest_that_are_missing_show_an_old_editor():
    assert is_old(line(1) + "# by hand\n", line(1) + line(2) + line(3), line(1))


def test_an_entry_missing_and_another_in_its_old_wording_show_an_old_editor():
    assert is_old(line(1) + "# by hand\n", line(1, "0 6 * * *") + line(2), line(1))


# --- Places --------------------------------------------------------------------------------------


def in_step(*numbers, text=""):
    world = World(text, {}, {})
    for number in numbers:
        world = add_task(world, number)
    return world


def entries(text):
    return [e.command for e in parse(text).lines if isinstance(e, Entry)]


def test_an_entry_made_meanwhile_comes_back_under_the_settings_it_stood_under():
    before = in_step(text="0 1 * * * /plain\n")
    merged = Merged(before.text, add_task(before, 7), before.text + "PATH=/x\n0 2 * * * /more\n")
    assert merged.put_back.clashes == []
    assert entries(merged.text) == ["/plain", "/bin/task-7", "/more"]
    assert merged.text.index("task-7") < merged.text.index("PATH")


def test_an_entry_that_was_imported_meanwhile_gets_its_tag_again_where_it_stands():
    opened = "0 1 * * * /one\n0 2 * * * /two\n"
    world = import_entry(World(opened, {}, {}), 5, 0)
    merged = Merged(opened, world, opened + "# by hand\n")
    assert merged.text == world.text + "# by hand\n"


def test_a_line_changed_here_and_in_the_editor_is_a_question():
    opened = "# one\n0 1 * * * /one\n"
    world = World(opened.replace("/one", "/here"), {}, {})
    merged = Merged(opened, world, opened.replace("/one", "/there"))
    assert merged.put_back.clashes == ["0 1 * * * /here"]
    assert merged.text == opened.replace("/one", "/there")


def test_a_line_changed_to_the_same_on_both_sides_is_none():
    opened = "# one\n0 1 * * * /one\n"
    both = opened.replace("/one", "/both")
    merged = Merged(opened, World(both, {}, {}), both)
    assert (merged.put_back.clashes, merged.text) == ([], both)


def test_a_setting_added_here_does_not_reach_entries_added_in_the_editor():
    opened = "# one\n"
    merged = Merged(opened, World(opened + "PATH=/here\n", {}, {}), opened + "0 2 * * * /more\n")
    assert merged.text == opened + "0 2 * * * /more\nPATH=/here\n"


def test_settings_added_on_both_sides_are_a_question():
    opened = "# one\n"
    merged = Merged(opened, World(opened + "PATH=/here\n", {}, {}), opened + "PATH=/there\n")
    assert merged.put_back.clashes == ["PATH=/here"]


def test_what_was_deleted_here_does_not_come_back_with_the_editor():
    world = in_step(1, 2)
    merged = Merged(world.text, edit_task(world, 0, wants_entry=False), world.text + "# by hand\n")
    assert merged.text == add_task(World("", {}, {}), 2).text + "# by hand\n"


def test_a_name_given_here_stands_above_its_entry_again():
    world = in_step(1)
    merged = Merged(world.text, edit_task(world, 0, name="Task new"), world.text + "# by hand\n")
    assert merged.text == world.text.replace("Task 1", "Task new") + "# by hand\n"


def test_a_recording_switched_on_here_is_on_again():
    world = in_step(1)
    on = edit_task(world, 0, recording=Recording(on=True))
    merged = Merged(world.text, on, world.text + "# by hand\n")
    assert merged.text == on.text + "# by hand\n"
    assert merged.after[tag_of(1)].recording != PLAIN


def test_one_entry_changed_on_both_sides_stays_as_the_editor_has_it_until_a_person_chooses():
    world = in_step(1)
    by_hand = world.text.replace("/bin/task-1", "/bin/by-hand")
    merged = Merged(world.text, edit_task(world, 0, schedule="9 9 * * *"), by_hand)
    assert [change.kind for change in merged.plan.changes] == [ChangeKind.CONFLICT]
    assert merged.text == by_hand


def test_a_name_given_here_and_another_in_the_editor_are_a_conflict_of_that_task_alone():
    world = in_step(1, 2)
    named = edit_task(edit_task(world, 0, name="Task new"), 1, schedule="9 9 * * *")
    merged = Merged(world.text, named, world.text.replace("# Task 1", "# Task other"))
    assert merged.put_back.clashes == []
    assert [change.kind for change in merged.plan.conflicts] == [ChangeKind.CONFLICT]
    assert merged.text == named.text.replace("# Task new", "# Task other")
