"""Environment lines: which entries they affect, and changes that touch no other line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pitasker_core.base.errors import InvalidSyntax, NotFound
from pitasker_core.crontab import environment_lines
from pitasker_core.crontab.document import EnvironmentLine, parse

CRONTAB = parse(
    """\
# mine
PATH=/bin
MAILTO = me@example.org
0 1 * * * /bin/a
PATH="/usr/local/bin:/bin"
0 2 * * * /bin/b
"""
)


def test_the_later_of_two_settings_reaches_what_is_below_it():
    lines = [
        (index + 1, setting.value) for index, setting in environment_lines.lines_for(CRONTAB, 5)
    ]
    assert lines == [(3, "me@example.org"), (5, "/usr/local/bin:/bin")]
    lines = [
        (index + 1, setting.value) for index, setting in environment_lines.lines_for(CRONTAB, 3)
    ]
    assert lines == [(2, "/bin"), (3, "me@example.org")]


def test_a_setting_reaches_entries_until_the_next_of_its_name():
    assert [environment_lines.count_entries(CRONTAB, index) for index in (1, 2, 4)] == [1, 2, 1]


def test_a_change_touches_its_own_line_only():
    changed = environment_lines.change(CRONTAB, 2, "MAILTO", "you@example.org")
    assert str(changed) == str(CRONTAB).replace("MAILTO = me@example.org", "MAILTO=you@example.org")


def test_a_new_setting_stands_above_every_entry():
    added = environment_lines.add(CRONTAB, "SHELL", "/bin/bash")
    assert str(added).splitlines()[3] == "SHELL=/bin/bash"
    assert environment_lines.count_entries(added, 3) == 2
    assert str(environment_lines.add(parse(""), "A", "b")) == "A=b\n"


def test_what_was_added_can_be_removed_byte_for_byte():
    added = environment_lines.add(CRONTAB, "SHELL", "/bin/bash")
    assert environment_lines.remove(added, 3) == CRONTAB
    with pytest.raises(NotFound):
        environment_lines.remove(CRONTAB, 3)


@pytest.mark.parametrize(("name", "value"), [("A B", "x"), ("A", "x\ny"), ("", "x"), ("A", "\"'")])
def test_what_cron_would_read_otherwise_is_refused(name, value):
    try:
        added = environment_lines.add(CRONTAB, name, value)
    except InvalidSyntax:
        return
    line = added.lines[3]
    assert isinstance(line, EnvironmentLine)
    assert (line.name, line.value) == (name, value)


@given(name=st.text(max_size=8), value=st.text(max_size=20))
def test_a_setting_is_read_back_as_it_was_meant_or_refused(name, value):
    try:
        added = environment_lines.add(CRONTAB, name, value)
    except InvalidSyntax:
        return
    again = parse(str(added)).lines[3]
    assert isinstance(again, EnvironmentLine)
    assert (again.name, again.value) == (name, value)
    assert len(parse(str(added)).lines) == len(CRONTAB.lines) + 1
