"""Reading each task's entry from a crontab, and carrying out a plan on the crontab."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pitasker_core.crontab.document import add_recorder, parse, split_stdin
from pitasker_core.crontab.recording import PLAIN, Recorder, Recording
from pitasker_core.sync.comparison import Comparison
from pitasker_core.sync.merge import ChangeKind, Fields, Policy
from pitasker_core.sync.sides import BaseEntry
from tests.helpers.world import (
    GONE,
    JOB,
    LINE,
    MARK,
    OTHER,
    OTHER_MARK,
    RECORDER,
    TAG,
    THIRD,
    World,
    deleted,
    in_step,
    task,
    with_task,
)


def kinds(world, places=None):
    return {change.tag: change.kind for change in world.plan(places).changes}


# Reading.


def test_a_tagged_entry_says_what_its_task_is():
    assert in_step().read().theirs == {TAG: JOB}


def test_a_crontab_in_step_needs_no_sync():
    world = in_step()
    assert world.plan().changes == ()
    assert world.synced() == world


def test_entries_without_a_tag_are_unmanaged():
    assert in_step(f"@daily a\n# Job\n{LINE}@daily b\n").read().unmanaged == [0, 3]


def test_an_entry_with_a_tag_that_nobody_knows_is_unknown():
    reading = World(LINE * 2, {}, {}).read()
    assert (reading.unknown, reading.copies, reading.theirs) == ([0], [1], {})


@pytest.mark.parametrize(("text", "own"), [("{copy}{line}", 1), ("{line}{copy}", 0)])
def test_of_a_copied_tag_the_entry_that_equals_the_base_keeps_it(text, own):
    copy = LINE.replace("0 5", "0 6")
    reading = in_step(text.format(line=LINE, copy=copy)).read()
    assert (reading.where, reading.copies) == ({TAG: own}, [1 - own])


def test_of_a_copied_tag_the_first_entry_keeps_it_when_all_were_edited():
    reading = in_step(LINE.replace("0 5", "0 6") + LINE.replace("0 5", "0 7")).read()
    assert (reading.where, reading.copies) == ({TAG: 0}, [1])


def test_a_copy_is_left_as_it_is():
    copy = LINE.replace("0 5", "0 6")
    world = with_task(in_step(f"# Job\n{LINE}{copy}"), command="/bin/new")
    assert world.synced().text == f"# Job\n{LINE.replace('/bin/job', '/bin/new')}{copy}"


def test_a_copy_stays_without_the_tag_when_the_task_is_deleted():
    world = deleted(in_step(f"# Job\n{LINE}0 6 * * * /bin/job {MARK}\n")).synced()
    assert world.text == "0 6 * * * /bin/job\n"
    assert world.plan().changes == ()


# The name and the comment above.


def test_the_name_follows_the_comment_that_was_the_name():
    assert in_step(f"# New name\n{LINE}").read().theirs[TAG].name == "New name"


@pytest.mark.parametrize("text", [LINE, f"# Job\n\n{LINE}", f"#\n{LINE}", f"# \x1b\n{LINE}"])
def test_the_name_stays_where_the_comment_is_no_name(text):
    assert in_step(text).read().theirs[TAG].name == "Job"


def test_a_comment_put_above_our_comment_or_below_it_is_not_the_name():
    for text in (f"# Ask me\n# Job\n{LINE}", f"# Job\n# Ask me\n{LINE}"):
        world = in_step(text).synced()
        assert (world.text, world.tasks_by_tag[TAG].fields.name) == (text, "Job")


def test_where_our_comment_was_deleted_the_comment_above_it_is_not_the_name():
    added = World("# Backups\n", {TAG: task()}, {}).synced()
    world = replace(added, text=f"# Backups\n{LINE}").synced()
    assert world.tasks_by_tag[TAG].fields.name == "Job"
    assert deleted(world).synced().text == "# Backups\n"


def test_a_comment_that_was_never_the_name_has_no_say():
    world = in_step(f"# Other words\n{LINE}", comment="Words", is_ours=False)
    assert world.read().theirs[TAG].name == "Job"


@pytest.mark.parametrize("words", ["Ask before changing this!", "#0 4 * * * /opt/job --full"])
def test_an_entry_that_was_put_back_is_not_named_by_a_persons_comment(words):
    world = World(f"# {words}\n{LINE}", {TAG: task(wants_entry=False)}, {}).synced()
    assert world.tasks_by_tag[TAG].fields.name == "Job"
    assert with_task(world, name="New").synced().text == world.text
    assert deleted(world).synced().text == f"# {words}\n"


def test_an_entry_without_a_base_or_a_comment_keeps_its_tasks_name():
    assert World(LINE, {TAG: task()}, {}).read().theirs[TAG].name == "Job"


def test_a_renamed_task_renames_its_comment():
    assert with_task(in_step(), name="New").synced().text == f"# New\n{LINE}"


def test_a_renamed_task_leaves_a_comment_alone_that_is_not_ours():
    world = with_task(in_step(is_ours=False), name="New").synced()
    assert world.text == f"# Job\n{LINE}"
    assert world.plan().changes == ()


def test_a_comment_changed_by_hand_renames_the_task_and_is_no_longer_ours():
    world = in_step(f"# New\n{LINE}").synced()
    assert world.tasks_by_tag[TAG].fields.name == "New"
    assert not world.base[TAG].comment_is_ours


def test_a_removal_takes_the_comment_with_it_if_it_is_ours():
    assert (
        deleted(in_step(f"# Above\n# Job\n{LINE}# Below\n")).synced().text == "# Above\n# Below\n"
    )


@pytest.mark.parametrize(
    "world", [in_step(is_ours=False), in_step(comment="Old words"), in_step(comment=None)]
)
def test_a_removal_leaves_a_comment_that_is_not_ours(world):
    assert deleted(world).synced().text == "# Job\n"


def test_several_removals_each_take_their_own_lines():
    base = {tag: BaseEntry(JOB._replace(name=name), name, True) for tag, name in NAMED.items()}
    tasks_by_tag = {tag: task(agreed.fields, wants_entry=False) for tag, agreed in base.items()}
    lines = [f"# {name}\n{LINE.replace(str(TAG), str(tag))}" for tag, name in NAMED.items()]
    assert World("A=b\n" + "@daily x\n".join(lines), tasks_by_tag, base).synced().text == (
        "A=b\n@daily x\n@daily x\n"
    )


NAMED = {TAG: "One", OTHER: "Two", THIRD: "Three"}


# Lost, broken and misplaced tags.

UNTAGGED = "0 5 * * * /bin/job\n"


def test_a_lost_tag_is_no_removal_but_waits_for_a_choice():
    assert kinds(in_step(f"# Job\n{UNTAGGED}")) == {TAG: ChangeKind.CONFLICT}


def test_a_lost_tag_is_put_back_by_choice():
    world = in_step(f"# Job\n{UNTAGGED}").synced({TAG: Policy.DATABASE})
    assert world == in_step()


def test_an_entry_whose_tag_was_meant_to_go_stays_without_it():
    world = in_step(f"# Job\n{UNTAGGED}").synced({TAG: Policy.CRONTAB})
    assert world.text == f"# Job\n{UNTAGGED}"
    assert not world.tasks_by_tag[TAG].wants_entry
    assert world.plan().changes == ()


def test_a_lost_tag_that_could_be_of_two_entries_is_a_removal():
    assert kinds(in_step(UNTAGGED * 2)) == {TAG: ChangeKind.PULL}


def test_an_entry_that_was_edited_too_is_not_taken_for_the_one_that_lost_its_tag():
    assert in_step(UNTAGGED.replace("0 5", "0 6")).read().lost == {}


def test_a_task_that_wants_no_entry_has_lost_nothing():
    assert deleted(in_step(UNTAGGED)).read().lost == {}


def test_two_tasks_do_not_lose_their_tags_on_the_same_entry():
    agreed = BaseEntry(JOB, None, False)
    world = World(UNTAGGED, dict.fromkeys((TAG, OTHER), task()), {TAG: agreed, OTHER: agreed})
    assert len(world.read().lost) == 1


BROKEN = {
    "a bad schedule": LINE.replace("0 5", "61 5"),
    "six fields": LINE.replace("0 5", "0 0 5").replace("/bin", "* /bin"),
    "a setting": f"TZ=UTC {LINE}",
    "a NUL byte": LINE.replace("job", "j\0b"),
    "a comment": f"# see {LINE}",
    "twice commented out": f"## {LINE}",
}


@pytest.mark.parametrize("line", BROKEN.values(), ids=BROKEN)
def test_a_broken_line_holds_its_task(line):
    world = with_task(in_step(f"# Job\n{line}"), command="/bin/new")
    assert world.synced() == world
    assert world.read().held(parse(world.text))[TAG].startswith("Line 2 has this task's tag")


@pytest.mark.parametrize("command", ["cat \\ {}%in", "/bin/job \\ {}", "echo 'open {}"])
def test_a_tag_inside_of_a_command_holds_its_task(command):
    line = f"0 5 * * * {command.format(MARK)}\n"
    world = with_task(in_step(f"# Job\n{line}"), schedule="@daily")
    assert world.synced() == world
    assert "a part of the command" in world.read().held(parse(world.text))[TAG]


def test_a_broken_line_does_not_hold_a_task_that_has_an_entry():
    assert in_step(f"61 * * * * a {MARK}\n# Job\n{LINE}").read().broken == {}


@pytest.mark.parametrize(
    ("line", "mended"),
    [
        (f"0 5 * * * /bin/job%a {MARK} b\n", f"0 5 * * * /bin/job {MARK}%a b\n"),
        (f"0 5 * * * cat%in {MARK}\n", f"0 5 * * * cat {MARK}%in\n"),
    ],
)
def test_a_misplaced_tag_goes_back_with_what_was_written_behind_it(line, mended):
    world = in_step(f"# Job\n{line}").synced()
    assert world.text == f"# Job\n{mended}"
    assert world.tasks_by_tag[TAG].fields.command == parse(mended).entry(0).command
    assert world.plan().changes == ()


def test_a_misplaced_tag_goes_back_even_where_both_sides_agree():
    fields = JOB._replace(command="cat%in")
    world = in_step(f"# Job\n0 5 * * * cat%in {MARK}\n", fields).synced()
    assert world == in_step(f"# Job\n0 5 * * * cat {MARK}%in\n", fields)


def test_words_behind_a_tag_change_nothing():
    world = in_step(f"# Job\n0 5 * * * /bin/job {MARK} do not delete *, ask first\n")
    assert world.plan().changes == ()


def test_a_misplaced_tag_in_a_conflict_waits_too():
    world = with_task(in_step(f"# Job\n0 5 * * * /bin/job%in {MARK}\n"), command="/bin/new")
    assert world.synced() == world


# Importing: a task was made of an entry, which must be tagged.


def adopting(text, *tags, fields=JOB, base=(), tasks_by_tag=()):
    """Return a world with entries that were just imported as tasks with these tags."""
    return World(
        text,
        {**dict(tasks_by_tag), **dict.fromkeys(tags, task(fields, is_importing=True))},
        {**dict(base), **dict.fromkeys(tags, BaseEntry(fields, None, False))},
    )


@pytest.mark.parametrize("places", [None, {TAG: 1}])
def test_an_adopted_entry_is_tagged_where_it_stands(places):
    world = adopting(f"A=b\n{UNTAGGED}@daily x\n", TAG).synced(places=places)
    assert world.text == f"A=b\n{LINE}@daily x\n"
    assert world.plan().changes == ()


def test_of_equal_entries_the_chosen_one_is_adopted():
    world = adopting(UNTAGGED * 3, TAG).synced(places={TAG: 1})
    assert world.text == f"{UNTAGGED}{LINE}{UNTAGGED}"


def test_equal_entries_are_adopted_one_each():
    world = adopting(UNTAGGED * 3, TAG, OTHER).synced(places={TAG: 2, OTHER: 0})
    other = LINE.replace(str(TAG), str(OTHER))
    assert world.text == f"{other}{UNTAGGED}{LINE}"


def test_an_import_that_was_cut_short_takes_any_of_equal_entries():
    assert adopting(UNTAGGED * 2, TAG).synced().text == LINE + UNTAGGED


def test_the_comment_above_an_adopted_entry_is_not_ours():
    world = adopting(f"# Job\n{UNTAGGED}", TAG).synced()
    assert deleted(world).synced().text == "# Job\n"


def copied(copy, places=None):
    """Return a managed entry and a copy of its line, imported as another task."""
    original = in_step()
    fields = parse(copy).entry(0)
    return adopting(
        original.text + copy,
        OTHER,
        fields=JOB._replace(schedule=fields.schedule),
        base=original.base,
        tasks_by_tag=original.tasks_by_tag,
    )


@pytest.mark.parametrize("places", [None, {OTHER: 2}])
@pytest.mark.parametrize("copy", [LINE, LINE.replace("0 5", "0 6")])
def test_an_adopted_copy_gets_a_tag_of_its_own(copy, places):
    world = copied(copy).synced(places=places)
    assert world.text == f"# Job\n{LINE}{copy.replace(str(TAG), str(OTHER))}"
    assert world.plan().changes == ()


def test_an_adopted_copy_is_no_copy_any_more():
    assert copied(LINE).read({OTHER: 2}).copies == []


def test_a_copy_is_not_taken_for_an_entry_that_lost_its_tag():
    agreed = BaseEntry(JOB, None, False)
    world = in_step(f"# Job\n{LINE}{LINE}")
    world = replace(
        world,
        tasks_by_tag={**world.tasks_by_tag, OTHER: task()},
        base={**world.base, OTHER: agreed},
    )
    assert world.read().lost == {}


def test_a_copy_of_an_unknown_tag_can_be_adopted_alone():
    world = adopting(LINE * 2, OTHER).synced(places={OTHER: 1})
    assert world.text == LINE + LINE.replace(str(TAG), str(OTHER))


def test_an_adopted_entry_that_is_gone_leaves_its_task_without_one():
    world = adopting("@daily x\n", TAG).synced(places={TAG: 0})
    assert (world.text, world.tasks_by_tag[TAG].wants_entry) == ("@daily x\n", False)


# Carrying out.


def test_a_new_task_is_added_at_the_end_under_its_name():
    world = World("@daily a\n", {TAG: task()}, {}).synced()
    assert world == in_step(f"@daily a\n# Job\n{LINE}")


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"schedule": "@daily"}, f"@daily\t/bin/job {MARK}\n"),
        ({"command": "/bin/new"}, f" 0 5 * * *\t/bin/new {MARK}\n"),
        ({"paused": True}, f"#  0 5 * * *\t/bin/job {MARK}\n"),
    ],
)
def test_a_change_of_a_task_changes_its_own_line_alone(changed, line):
    before = "A = b\n\n# Job\n{}# Below\n\tcaf\udce9\n"
    world = in_step(before.format(f" 0 5 * * *\t/bin/job {MARK}\n"))
    assert with_task(world, **changed).synced().text == before.format(
        line if line.startswith("#") else " " + line.lstrip(" ")
    )


def test_an_entry_that_was_written_and_never_recorded_is_agreed_on():
    world = World(f"# Job\n{LINE}", {TAG: task()}, {})
    assert kinds(world) == {TAG: ChangeKind.REBASE}
    assert world.synced() == in_step()


def test_the_entry_of_a_task_that_is_gone_altogether_is_removed():
    assert replace(in_step(), tasks_by_tag={}).synced().text == ""


def test_an_entry_that_was_edited_while_its_task_is_gone_is_unknown_and_stays():
    edited = LINE.replace("0 5", "0 6")
    world = replace(in_step(f"# Job\n{edited}"), tasks_by_tag={}).synced(policy=Policy.DATABASE)
    assert (world.text, world.base) == (f"# Job\n{edited}", {})
    assert world.read().unknown == [1]


def test_a_last_line_without_an_end_gets_one_when_something_else_is_written():
    world = with_task(in_step(f"# Job\n{LINE}@daily a"), command="/bin/new").synced()
    assert world.text.endswith("@daily a\n")


@pytest.mark.parametrize("last", ["# the end", "  "])
def test_a_last_comment_or_blank_without_an_end_stays_so(last):
    world = with_task(in_step(f"# Job\n{LINE}{last}"), command="/bin/new").synced()
    assert world.text.endswith(f"\n{last}")


def test_a_last_line_without_an_end_stays_so_when_nothing_is_written():
    assert in_step(f"# Job\n{LINE}@daily a").synced().text == f"# Job\n{LINE}@daily a"


BAD = [
    JOB._replace(schedule="61 * * * *"),
    JOB._replace(command="x" * 948),
    JOB._replace(command="open '"),
    JOB._replace(command="two\nlines"),
    JOB._replace(name="two\nlines"),
]


@pytest.mark.parametrize("bad", BAD)
def test_a_task_that_cannot_be_written_fails_alone(bad):
    world = World("", {OTHER: task(bad), TAG: task()}, {})
    _, done = world.carried()
    assert list(done.failures) == [OTHER]
    assert str(done.document) == f"# Job\n{LINE}"
    assert OTHER not in done.base


@pytest.mark.parametrize("bad", BAD)
def test_a_change_that_cannot_be_written_leaves_the_entry_as_it_was(bad):
    world = replace(in_step(), tasks_by_tag={TAG: task(bad)})
    assert world.synced().text == world.text


@pytest.mark.parametrize(
    "line",
    [
        f"0 5 * * * /bin/job\r {MARK}\n",
        f"0 5 * * * caf\udce9 {MARK}\n",
        f"0 5 * * * {MARK}\n",
        f"0 5 * * * /bin/job {OTHER_MARK} {MARK}\n",
    ],
)
def test_a_hand_edit_that_cannot_be_a_task_fails_alone_and_stays_in_the_crontab(line):
    world = in_step(f"# Job\n{line}")
    _, done = world.carried()
    assert list(done.failures) == [TAG]
    assert world.synced() == world


def test_a_mix_is_written_to_the_crontab_and_taken_over():
    mix = JOB._replace(schedule="@hourly", command="/bin/new")
    hand = in_step(f"# Job\n{LINE.replace('0 5 * * *', '@hourly')}")
    world = with_task(hand, command="/bin/new").synced({TAG: mix})
    assert world == in_step(f"# Job\n@hourly /bin/new {MARK}\n", mix)


# The law: the result of carrying out a plan reads back as planned, and is in sync.

TAGS = [UUID(int=number) for number in range(1, 5)]
values = st.builds(
    Fields,
    st.sampled_from(["Job", "Other name", "# hash"]),
    st.sampled_from(["0 5 * * *", "*/5\t* * * *", "@daily", "61 * * * *"]),
    st.sampled_from(["/bin/job", "cat%in", "echo a # b", "a \\", "echo 'it''s' \\%"]),
    st.booleans(),
    st.sampled_from([PLAIN, PLAIN, Recording(True), Recording(True, 60, no_overlap=True)]),
)
recorders = st.builds(Recorder, st.sampled_from([RECORDER, GONE]), st.sampled_from([1, 7]))
shapes = st.sampled_from(["{}", "{}", "{}", " \t{}", "untagged", "misplaced", "copied", "broken"])


@st.composite
def worlds(draw):
    """Draw tasks with the base, our and their version of each, edited in all ways."""
    pieces, tasks_by_tag, base = [], {}, {}
    for tag in draw(st.permutations(TAGS)):
        agreed = draw(st.none() | values)
        ours, theirs = (draw(st.just(agreed) | st.none() | values) for _ in range(2))
        if agreed:
            comment = draw(st.sampled_from([agreed.name, agreed.name, "Words", None]))
            base[tag] = BaseEntry(agreed, comment, comment == agreed.name and draw(st.booleans()))
        fields = ours or agreed
        if fields and draw(st.integers(0, 9)):
            tasks_by_tag[tag] = task(fields, ours is not None, draw(st.booleans()))
        if theirs:
            above = base[tag].comment if tag in base else theirs.name
            above = draw(st.sampled_from([above, above, "By hand", None]))
            pieces.append((f"# {above}\n" if above else "") + draw(lines(tag, theirs)))
        pieces.append(draw(st.sampled_from(["", "A=b\n", "\n", UNTAGGED, "# Job\n"])))
    return World("".join(pieces), tasks_by_tag, base)


@st.composite
def lines(draw, tag, fields):
    mark, shape = f"# PITASKER_ID:{tag}", draw(shapes)
    pause = "# " if fields.paused else ""
    command = add_recorder(fields.command, draw(recorders), fields.recording)
    proper, stdin = split_stdin(command)
    if shape == "untagged":
        return f"{pause}{fields.schedule} {command}\n"
    if shape == "misplaced":
        return f"{pause}{fields.schedule} {command} {mark} x\n"
    if shape == "broken":
        return f"every day {command} {mark}\n"
    if shape == "copied":
        shape = f"{{0}}{pause}0 9 * * * {proper} {mark}\n{{0}}"
    return shape.format(f"{pause}{fields.schedule} {proper} {mark}{stdin}\n")


@given(worlds(), st.sampled_from([*Policy]))
@settings(max_examples=100)
def test_what_was_carried_out_reads_back_as_it_was_planned(world, policy):
    planned, done = world.carried(policy=policy)
    theirs = world.synced(policy=policy).read().theirs
    for change in planned.changes:
        if change.kind is not ChangeKind.CONFLICT and change.tag not in done.failures:
            assert theirs.get(change.tag) == change.result


@given(worlds(), st.sampled_from([*Policy]))
@settings(max_examples=100)
def test_after_a_sync_only_conflicts_and_failures_are_left(world, policy):
    planned, done = world.carried(policy=policy)
    after = world.synced(policy=policy)
    left = {change.tag for change in planned.conflicts} | set(done.failures)
    assert {change.tag for change in after.plan().changes} <= left
    assert after.synced(policy=policy).text == after.text


@given(worlds(), st.sampled_from([*Policy]))
@settings(max_examples=100)
def test_a_sync_keeps_every_line_that_no_task_owns(world, policy):
    def others(text):
        return [line.raw for line in parse(text).lines if line.raw in ("A=b\n", "\n")]

    assert others(world.synced(policy=policy).text) == others(world.text)


def test_a_comparison_finds_the_changes_of_its_tasks_only_once():
    state = in_step()
    document = parse(state.text)
    compared = Comparison(
        state.text, document, state.tasks_by_tag, state.base, state.read(), state.plan()
    )
    assert compared.task_changes is compared.task_changes
