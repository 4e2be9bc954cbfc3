"""Merging two edits of a text loses no line of either."""

from hypothesis import given
from hypothesis import strategies as st

from pitasker_core.crontab.document import Invalid, parse
from pitasker_core.crontab.text_merge import END, MINE, THEIRS, Merged, merge_texts

texts = st.lists(st.sampled_from(["a", "b", "c", "", "d"]), max_size=8).flatmap(
    lambda lines: st.sampled_from(["\n".join(lines), "".join(f"{line}\n" for line in lines)])
)


@given(texts, texts)
def test_a_change_of_one_side_alone_is_taken(base, other):
    assert merge_texts(base, other, base) == Merged(other, 0)
    assert merge_texts(base, base, other) == Merged(other, 0)
    assert merge_texts(base, other, other) == Merged(other, 0)


@given(texts, texts, texts)
def test_no_added_line_of_either_side_is_lost(base, mine, theirs):
    merged = set(merge_texts(base, mine, theirs).text.split("\n"))
    for side in (mine, theirs):
        assert set(side.split("\n")) - set(base.split("\n")) - {""} <= merged


@given(texts, texts, texts)
def test_a_text_without_conflicts_has_no_markers(base, mine, theirs):
    merged = merge_texts(base, mine, theirs)
    assert merged.text.count(MINE) == merged.conflicts
    assert merged.text.count(THEIRS) == merged.text.count(END) == merged.conflicts


def test_changes_of_different_entries_are_both_taken():
    base = "1 * * * * a\n2 * * * * b\n3 * * * * c\n"
    mine = base.replace("1 * *", "9 * *")
    theirs = base.replace("2 * *", "8 * *").replace("3 * * * * c\n", "")
    assert merge_texts(base, mine, theirs) == Merged("9 * * * * a\n8 * * * * b\n", 0)


def test_entries_that_both_sides_added_at_the_end_are_both_kept():
    assert merge_texts("a\n", "a\nmine\n", "a\ntheirs\n") == Merged("a\ntheirs\nmine\n", 0)


def test_a_last_line_without_an_end_does_not_swallow_the_next_one():
    assert merge_texts("a\nb\n", "a\nb2", "a\nb\nc\n").text == "a\nb2\nc\n"


def test_the_same_line_changed_differently_is_a_conflict_with_both():
    merged = merge_texts("1 * * * * a\n", "2 * * * * a\n", "3 * * * * a\n")
    assert merged == Merged(f"{MINE}2 * * * * a\n{THEIRS}3 * * * * a\n{END}", 1)


def test_a_line_changed_here_and_removed_there_is_a_conflict():
    assert merge_texts("a\nb\n", "a\nb2\n", "a\n").conflicts == 1


def test_cron_takes_no_marker():
    for line in parse(MINE + THEIRS + END).lines:
        assert isinstance(line, Invalid)
