"""The laws of the merge, on every possible small world."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pitasker_core.sync.merge import (
    Change,
    ChangeKind,
    Fields,
    Plan,
    Policy,
    is_mass_removal,
    plan,
    resolve,
)

TAGS = [UUID(int=number) for number in range(1, 7)]
TAG = TAGS[0]
A, B, C = (Fields(word, "@daily", f"/bin/{word}") for word in "abc")
VALUES = [
    A,
    B,
    C,
    A._replace(paused=True),
    A._replace(name="other"),
    A._replace(schedule="@hourly"),
]

sides = st.dictionaries(st.sampled_from(TAGS), st.sampled_from(VALUES))
worlds = st.tuples(sides, sides, sides)
choices = st.dictionaries(
    st.sampled_from(TAGS), st.sampled_from([*Policy]) | st.sampled_from(VALUES)
)
policies = st.sampled_from([*Policy])


def applied(planned, base, ours, theirs):
    """Return base, ours and theirs after a sync that carries out the whole plan."""
    base, ours, theirs = dict(base), dict(ours), dict(theirs)
    for side, changes in (
        (theirs, planned.pushes),
        (ours, planned.pulls),
        (base, [change for change in planned.changes if change.kind is not ChangeKind.CONFLICT]),
    ):
        for change in changes:
            side.pop(change.tag, None)
            if change.result:
                side[change.tag] = change.result
    return base, ours, theirs


def kinds(base, ours, theirs):
    def side(value):
        return {TAG: value} if value else {}

    return [change.kind for change in plan(side(base), side(ours), side(theirs)).changes]


# The four cases, with "no entry" as a value like any other.


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "kind"),
    [
        (A, A, A, None),
        (A, B, B, ChangeKind.REBASE),
        (None, A, A, ChangeKind.REBASE),
        (A, None, None, ChangeKind.REBASE),
        (A, A, B, ChangeKind.PULL),
        (A, A, None, ChangeKind.PULL),
        (None, None, A, ChangeKind.PULL),
        (A, B, A, ChangeKind.PUSH),
        (A, None, A, ChangeKind.PUSH),
        (None, A, None, ChangeKind.PUSH),
        (A, B, C, ChangeKind.CONFLICT),
        (None, A, B, ChangeKind.CONFLICT),
        (A, B, None, ChangeKind.CONFLICT),
        (A, None, B, ChangeKind.CONFLICT),
    ],
)
def test_each_case_is_decided_by_who_still_has_the_base(base, ours, theirs, kind):
    assert kinds(base, ours, theirs) == ([kind] if kind else [])


@pytest.mark.parametrize(
    "field", [{"name": "x"}, {"schedule": "@hourly"}, {"command": "/bin/x"}, {"paused": True}]
)
def test_a_change_of_any_field_is_a_change(field):
    assert kinds(A, A._replace(**field), A) == [ChangeKind.PUSH]


@given(worlds)
def test_swapping_the_sides_swaps_push_and_pull(world):
    base, ours, theirs = world
    swapped = {ChangeKind.PUSH: ChangeKind.PULL, ChangeKind.PULL: ChangeKind.PUSH}
    there = {(c.tag, c.kind, c.result) for c in plan(base, ours, theirs).changes}
    back = {(c.tag, c.kind, c.result) for c in plan(base, theirs, ours).changes}
    assert back == {(tag, swapped.get(kind, kind), result) for tag, kind, result in there}


@given(sides, sides)
def test_sides_that_agree_are_left_alone(base, both):
    planned = plan(base, both, both)
    assert {change.kind for change in planned.changes} <= {ChangeKind.REBASE}
    assert planned.pushes == planned.pulls == []


@given(sides)
def test_sides_in_step_have_an_empty_plan(side):
    assert plan(side, side, side) == Plan()


@given(worlds)
def test_each_tag_is_in_a_plan_at_most_once(world):
    tags = [change.tag for change in plan(*world).changes]
    assert len(tags) == len(set(tags))


@given(worlds, policies)
def test_an_edit_of_one_side_is_never_lost(world, policy):
    base, ours, theirs = world
    planned = resolve(plan(*world), {}, policy)
    _, ours_after, theirs_after = applied(planned, *world)
    for tag in TAGS:
        b, o, t = base.get(tag), ours.get(tag), theirs.get(tag)
        if b in (o, t):
            edit = o if t == b else t
            assert (ours_after.get(tag), theirs_after.get(tag)) == (edit, edit)


@given(worlds, choices, policies)
def test_one_sync_brings_all_in_step_that_is_no_conflict(world, choices, policy):
    planned = resolve(plan(*world), choices, policy)
    base, ours, theirs = applied(planned, *world)
    conflicts = {change.tag for change in planned.conflicts}
    for tag in set(TAGS) - conflicts:
        assert base.get(tag) == ours.get(tag) == theirs.get(tag)


@given(worlds, choices, policies)
def test_a_second_sync_finds_the_same_conflicts_and_nothing_else(world, choices, policy):
    planned = resolve(plan(*world), choices, policy)
    again = plan(*applied(planned, *world))
    assert {c.tag for c in again.changes} == {c.tag for c in planned.conflicts}
    assert {c.kind for c in again.changes} <= {ChangeKind.CONFLICT}


@given(worlds, st.sampled_from([Policy.DATABASE, Policy.CRONTAB]))
def test_a_policy_other_than_asking_leaves_no_conflict(world, policy):
    assert resolve(plan(*world), {}, policy).conflicts == []


@given(worlds)
def test_a_conflict_leaves_both_sides_and_the_base_untouched(world):
    planned = plan(*world)
    after = applied(planned, *world)
    for change in planned.conflicts:
        assert [side.get(change.tag) for side in after] == [side.get(change.tag) for side in world]


@given(worlds, st.sets(st.sampled_from(TAGS)))
def test_a_sync_of_some_tags_touches_no_other(world, tags):
    after = applied(plan(*world).only(tags), *world)
    for tag in set(TAGS) - tags:
        assert [side.get(tag) for side in after] == [side.get(tag) for side in world]


@given(worlds, st.sets(st.sampled_from(TAGS)))
def test_only_and_without_share_out_a_plan(world, tags):
    planned = plan(*world)
    shared = planned.only(tags).changes + planned.without(tags).changes
    assert set(shared) == set(planned.changes)
    assert len(shared) == len(planned.changes)


def test_a_plan_is_in_the_order_of_the_database_then_of_the_crontab():
    ours, theirs = {TAGS[3]: A, TAGS[1]: A}, {TAGS[2]: A, TAGS[0]: A}
    changes = plan({}, ours, theirs).changes
    assert [change.tag for change in changes] == [TAGS[3], TAGS[1], TAGS[2], TAGS[0]]


# The choices of a person.


def chosen(choice, base=A, ours=B, theirs=C, policy=Policy.ASK):
    """Return the plan's only change after a choice."""
    [change] = resolve(plan({TAG: base}, {TAG: ours}, {TAG: theirs}), {TAG: choice}, policy).changes
    return change


@pytest.mark.parametrize(("policy", "result"), [(Policy.DATABASE, B), (Policy.CRONTAB, C)])
def test_a_choice_decides_its_conflict(policy, result):
    assert chosen(policy).result == result


def test_a_mix_is_written_to_both_sides():
    mix = B._replace(schedule="@hourly")
    planned = Plan((chosen(mix),))
    assert [change.result for change in planned.pushes] == [mix]
    assert [change.result for change in planned.pulls] == [mix]


@pytest.mark.parametrize("mix", [B, C])
def test_a_mix_that_equals_one_side_is_written_to_the_other_alone(mix):
    planned = Plan((chosen(mix),))
    assert len(planned.pushes) + len(planned.pulls) == 1


def test_a_choice_to_ask_outweighs_the_policy():
    assert chosen(Policy.ASK, policy=Policy.DATABASE).kind is ChangeKind.CONFLICT


def test_a_hand_edit_is_overwritten_only_by_choice():
    assert chosen(Policy.DATABASE, base=A, ours=A, theirs=C).result == A


def test_a_tasks_edit_is_taken_back_only_by_choice():
    assert chosen(Policy.CRONTAB, base=A, ours=B, theirs=A).result == A


def test_a_policy_is_for_conflicts_alone():
    planned = plan({TAG: A}, {TAG: A}, {TAG: B})
    assert resolve(planned, {}, Policy.DATABASE) == planned


def test_a_removal_can_be_chosen():
    planned = resolve(plan({TAG: A}, {}, {TAG: B}), {TAG: Policy.DATABASE})
    assert [change.result for change in planned.pushes] == [None]


# A crontab that lost too much at once.


def losing(removed, managed):
    """Return a plan with this number of pulled removals, and its base."""
    base = {UUID(int=number + 1): A for number in range(managed)}
    theirs = dict(list(base.items())[removed:])
    return plan(base, base, theirs), base


@pytest.mark.parametrize(
    ("removed", "managed", "is_mass"),
    [(0, 9, False), (1, 1, False), (2, 2, False), (3, 6, False), (3, 5, True), (4, 6, True)],
)
def test_three_managed_entries_and_more_than_half_are_a_mass_removal(removed, managed, is_mass):
    assert is_mass_removal(*losing(removed, managed), emptied=False) == is_mass


@pytest.mark.parametrize(("removed", "is_mass"), [(0, False), (1, True)])
def test_any_managed_entry_is_too_many_when_the_crontab_was_emptied(removed, is_mass):
    assert is_mass_removal(*losing(removed, 9), emptied=True) == is_mass


def test_tasks_deleted_in_the_database_are_no_mass_removal():
    base = dict.fromkeys(TAGS, A)
    assert not is_mass_removal(plan(base, {}, base), base, emptied=False)


def test_removals_that_the_database_overrules_are_no_mass_removal():
    planned, base = losing(5, 5)
    overruled = resolve(planned, dict.fromkeys(base, Policy.DATABASE))
    assert not is_mass_removal(overruled, base, emptied=True)


def test_a_conflict_is_not_counted_as_removed():
    change = Change(TAG, ChangeKind.CONFLICT, A, B, None, None)
    assert not is_mass_removal(Plan((change,)), {TAG: A}, emptied=True)
