"""The crontab document loses nothing, and reads back what it wrote."""

import platform
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pitasker_core.base.errors import InvalidSyntax, NotFound
from pitasker_core.crontab.document import (
    COMMAND_LIMIT,
    NAME_LIMIT,
    Blank,
    Comment,
    Document,
    Entry,
    EnvironmentLine,
    Invalid,
    add_tag,
    check_name,
    decode,
    encode,
    is_name,
    parse,
    parse_line,
    parsing,
    split_stdin,
    suggest_names,
    tags,
)
from pitasker_core.crontab.draft import Draft
from pitasker_core.crontab.entry_spec import EntrySpec, check_entry
from pitasker_core.crontab.rejection import refuse
from pitasker_core.crontab.schedule import Dialect

SAMPLES = sorted((Path(__file__).parents[1] / "crontabs").glob("*.crontab"))
REFUSED = {"crlf", "no_final_newline", "invalid_lines", "broken_with_tags"}
TAG = UUID("3f8c1d52-7a44-4e0b-9b1e-5d2c8f6a9e01")
OTHER = UUID("a1b2c3d4-0000-4111-8222-333344445555")
MARK = f"# PITASKER_ID:{TAG}"
LONGEST_TAGGED = COMMAND_LIMIT - len(f" {MARK}")

FRAGMENTS = [
    *("\n", " ", "\t", "#", "%", "\\", "\\%", "'", '"', "=", "*", ",", "-", "/", "$", ";"),
    *("\r", "\f", "\v", "\x85", "\u2028", "\0", "\x1b", "é", "\udce9", "\ud800"),
    *("0 5 * * *", "* * * * *", "@daily", "@reboot", "61", "mon", "a", "cmd", "B=c", "'q'"),
    *("# ", f" {MARK}", f" # PITASKER_ID:{OTHER}", " # PITASKER_ID:", "PITASKER_ID:"),
]
fragments = st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join)
texts = fragments | st.text(st.characters(codec=None), max_size=60)
LINES = [
    *("# A comment\n", "\n", " \t\n", "MAILTO=me@example.org\n", 'A="b"\n', "#\n"),
    *("0 5 * * * /bin/a\n", "@daily /bin/b\n", "\t*/5  * * * *\t/bin/c  x \n"),
    *(f"@hourly /bin/d {MARK}%in\n", f"# 1 2 * * * /bin/e {MARK}\n", "61 * * * * /bin/f\n"),
    *("0 5 * * * echo a\u2028b\n", "0 5 * * * caf\udce9\n", "SHELL=/bin/bash\n"),
]
crontabs = st.lists(st.sampled_from(LINES), max_size=8).map("".join)
schedules = st.sampled_from(["0 5 * * *", "*/5\t1-3 * * mon", "@daily", "@reboot"]) | fragments
commands = (
    fragments
    | st.text(max_size=20)
    | st.text("abc '\"\\%#$;é", min_size=1, max_size=20).map(lambda text: f"echo {text}")
)
names = st.text("ab #:é", min_size=1, max_size=12) | fragments


def sample(name):
    return decode(Path(__file__).parents[1].joinpath("crontabs", f"{name}.crontab").read_bytes())


def only(line, dialect=Dialect.DEBIAN):
    """Return the only line of a crontab."""
    [parsed] = parse(line, dialect).lines
    return parsed


def added(document, name, schedule, command, tag, paused=False):
    """Return the document with a new entry. Raises InvalidSyntax if it is refused."""
    draft = Draft(document)
    refuse(draft.add(EntrySpec(name, schedule, command, tag, paused)))
    return draft.done()


def why_not_tagged(document, index, command):
    return tags.why_not_tagged(command, document.shell(index), document.dialect)


def renamed(document, index, old, new):
    """Return the document with another name above an entry. Raises InvalidSyntax if refused."""
    draft = Draft(document)
    refuse(draft.put(replace(draft.spec(index), name=new), index, comment=old))
    return draft.done()


def refuse_name(name):
    refuse([problem] if (problem := check_name(name)) else [])


def refuse_command(command):
    refuse(check_entry(EntrySpec("Name", "@daily", command, TAG), parse("")))


def with_command(command, paused=False):
    """Return the entry of a new task with this command."""
    return added(parse(""), "Name", "0 5 * * *", command, TAG, paused).entry(1)


def refused_by_crontab(text):
    """Whether Debian's `crontab` refuses a text. Installs nothing."""
    # From its input: `crontab` refuses a file with a long path.
    check = ["crontab", "-n", "-"]
    done = subprocess.run(check, input=encode(text), capture_output=True, check=False)
    return done.returncode != 0


def as_cron_runs(command):
    """Return the shell's command and standard input, by a copy of the loop in Debian's cron."""
    proper, escaped = "", False
    for at, character in enumerate(command):
        if escaped:
            proper = proper[:-1] + character if character in "%\\" else proper + character
            escaped = False
            continue
        if character == "%":
            return proper, command[at + 1 :]
        escaped = character == "\\"
        proper += character
    return proper, ""


debian_only = pytest.mark.skipif(
    not (shutil.which("crontab") and Path("/etc/debian_version").exists()),
    reason="needs Debian's crontab",
)


# Every byte comes back.


@given(texts)
def test_any_text_comes_back_as_it_was(text):
    assert str(parse(text)) == text


@given(st.binary(max_size=80) | fragments.map(encode))
def test_any_bytes_come_back_as_they_were(data):
    assert encode(str(parse(decode(data)))) == data


USUAL = ["0 5 * * *", " */5\t1-3  * * mon", "@daily", "61 * * * *", "a = b c", "1 2 3 4 5 6"]


entries = st.tuples(
    st.sampled_from(USUAL),
    st.sampled_from(["", " ", " \t"]),
    st.sampled_from(["", "cmd -a b", "A=1 cmd  ", "x" * 990]) | commands,
    st.sampled_from(["", f" {MARK}", f"\t{MARK}", f" {MARK} words", f" {MARK}%in", " # words"]),
    st.sampled_from(["", "\n", "\r\n", " \n"]),
).map("".join)


@pytest.mark.parametrize("dialect", Dialect)
@given(entries)
@settings(max_examples=1000)
def test_the_short_way_for_usual_entries_reads_as_the_whole_grammar(dialect, line):
    assert parse_line(line, dialect) == parsing.parse_any_line(line, dialect)


def test_the_entries_that_pitasker_writes_take_the_short_way(monkeypatch):
    monkeypatch.setattr(parsing, "parse_any_line", None)
    assert parse_line(f"7 5 * * 1-5 /bin/only-here --all {MARK}\n").tag == TAG


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.stem)
def test_every_sample_comes_back_byte_for_byte(file):
    data = file.read_bytes()
    assert encode(str(parse(decode(data)))) == data


@pytest.mark.parametrize("character", ["\r", "\f", "\v", "\x85", "\u2028", "\u2029", "\x1c"])
def test_only_a_line_feed_ends_a_line(character):
    assert len(parse(f"0 5 * * * echo a{character}b\n").lines) == 1


# The lines of each sample, as cron sees them.


@debian_only
@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.stem)
def test_debian_takes_the_good_samples_and_refuses_the_others(file):
    assert refused_by_crontab(decode(file.read_bytes())) == (file.stem in REFUSED)


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.stem)
def test_only_the_broken_samples_have_invalid_lines(file):
    # We accept a last line without an end. Debian reads a line with a NUL byte as two lines.
    broken = bool(parse(decode(file.read_bytes())).invalid_lines)
    assert broken == (file.stem in {*REFUSED, "nul_byte"} - {"no_final_newline"})


def test_every_invalid_line_is_named_and_every_good_one_is_not():
    assert parse(sample("invalid_lines")).invalid_lines == [1, 3, 4, 5, 6, 7, 8, 9, 10, 11]


@pytest.mark.parametrize("line", parse(sample("invalid_lines")).invalid_lines)
def test_an_invalid_line_says_why(line):
    assert parse(sample("invalid_lines")).lines[line].reason


def test_commented_out_jobs_without_a_tag_are_comments():
    assert [index for index, _ in parse(sample("commented_out_jobs")).entries()] == [5]


def test_a_carriage_return_is_part_of_the_command():
    assert [entry.command for _, entry in parse(sample("crlf")).entries()] == [
        "/home/pi/backup.sh\r",
        "/home/pi/daily.sh\r",
    ]


def test_a_line_of_only_a_carriage_return_is_invalid():
    assert isinstance(only("\r\n"), Invalid)


def test_a_line_with_a_nul_byte_is_invalid():
    assert parse(sample("nul_byte")).invalid_lines == [1]


def test_foreign_bytes_are_kept_and_pointed_out():
    flags = [entry.has_foreign_bytes for _, entry in parse(sample("foreign_bytes")).entries()]
    assert flags == [True, True]


def test_indent_gaps_and_trailing_blanks_are_told_apart():
    entry = parse(sample("tabs_and_indents")).entry(1)
    assert (entry.indent, entry.schedule, entry.gap, entry.command) == (
        "   ",
        "*/5  *  * *   *",
        "   ",
        "/home/pi/spaced.sh   --with   gaps  ",
    )


def test_five_fields_without_a_command_are_an_entry_as_debian_takes_them():
    assert only("0 0 * * 0\n").command == ""


def test_a_sixth_field_that_begins_with_a_star_is_invalid_even_after_a_nickname():
    assert isinstance(only("@daily *x\n"), Invalid)


def test_an_entry_can_be_longer_than_998_bytes_if_its_command_is_not():
    assert parse(sample("longest_command")).invalid_lines == []


def test_a_command_of_999_bytes_makes_the_line_invalid():
    assert isinstance(only(f"0 0 * * * {'x' * 999}\n"), Invalid)


def test_there_is_no_entry_where_a_comment_is():
    with pytest.raises(NotFound):
        parse("# comment\n").entry(0)


def test_there_is_no_entry_before_the_first_line():
    with pytest.raises(NotFound):
        parse("@daily x\n").entry(-1)


@debian_only
@given(st.lists(fragments.map(lambda text: text.replace("\n", "") + "\n"), max_size=10))
@settings(max_examples=150)
def test_debian_takes_every_text_that_has_no_invalid_line(lines):
    good = [line for line in lines if not isinstance(parse_line(line), Invalid)]
    assert not refused_by_crontab("".join(good))


@debian_only
@pytest.mark.skipif(platform.machine() != "x86_64", reason="Debian's crontab is lax on ARM")
@given(fragments.map(lambda text: text.replace("\n", "").replace("\0", "") + "\n"))
@settings(max_examples=200)
def test_debian_refuses_every_line_that_we_call_invalid(line):
    assume(isinstance(parse_line(line), Invalid))
    assert refused_by_crontab(line)


# Environment lines, as cron's load_env reads them.


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("A=b", "A", "b"),
        ("  A = b c  ", "A", "b c"),
        ('"A B" = "c d"', "A B", "c d"),
        ("'A'='it is \"fine\"'", "A", 'it is "fine"'),
        ('MAILTO=""', "MAILTO", ""),
        ("A=b # c", "A", "b # c"),
        ("A=$HOME/x", "A", "$HOME/x"),
        (r"A=100%\%", "A", r"100%\%"),
        ("1A=b", "1A", "b"),
        ("A-B=c", "A-B", "c"),
        ("=x", "", "x"),
        ("==", "", "="),
        ("\f=x", "", "x"),
        ("A='b  '", "A", "b"),
        ("A='\"b\"'", "A", "b"),
        ("A=b\r", "A", "b"),
        ("A=b'c'", "A", "b'c'"),
        ("@daily =x", "@daily", "x"),
        ("TZ=UTC * * * * * cmd", "TZ", "UTC * * * * * cmd"),
    ],
)
def test_a_setting_is_read_as_debian_reads_it(line, name, value):
    environment_line = only(line + "\n")
    assert isinstance(environment_line, EnvironmentLine)
    assert (environment_line.name, environment_line.value) == (name, value)


@pytest.mark.parametrize("line", ["A=' b '", "A='\"b\"'"])
def test_cronie_leaves_the_inside_of_quotes_alone(line):
    assert only(line + "\n", Dialect.CRONIE).value == line[3:-1]


@pytest.mark.parametrize(
    "line", ["A=", "A= ", "A='b", 'A="b" c', "A B=c", '"A=b', '"A=b"', "'A'B=c", "\fA=b", "=", "A"]
)
def test_what_load_env_refuses_is_no_setting(line):
    assert isinstance(only(line + "\n"), Invalid)


def test_debian_cuts_a_long_setting_off_at_998_bytes():
    assert only(f"  A={'x' * 2000}\n").value == "x" * 996


def test_a_long_quoted_setting_loses_its_closing_quote_and_is_invalid():
    assert isinstance(only(f'A="{"x" * 995}"\n'), Invalid)


def test_a_setting_acts_on_the_entries_below_it():
    document = parse("@daily a\nSHELL=/bin/bash\n@daily b\nSHELL=/bin/sh\n@daily c\n")
    assert [document.environment(index).get("SHELL") for index in (0, 2, 4, None)] == [
        None,
        "/bin/bash",
        "/bin/sh",
        "/bin/sh",
    ]


# The tag.


def test_the_tag_stands_behind_the_command():
    assert add_tag("/bin/a", TAG) == f"/bin/a {MARK}"


@pytest.mark.parametrize(
    ("command", "proper", "stdin"),
    [
        ("cat%in%more", "cat", "%in%more"),
        (r"date +\%F", r"date +\%F", ""),
        (r"date +\%F%in", r"date +\%F", "%in"),
        (r"a\\%in", r"a\\", "%in"),
        (r"a\\\%b%in", r"a\\\%b", "%in"),
        ("%in", "", "%in"),
        ("cat%", "cat", "%"),
    ],
)
def test_standard_input_begins_at_the_first_percent_sign_without_a_backslash(
    command, proper, stdin
):
    assert split_stdin(command) == (proper, stdin)


@given(st.text("a%\\ ", max_size=12))
def test_the_tag_never_gets_into_standard_input(command):
    assert as_cron_runs(add_tag(command, TAG))[1] == as_cron_runs(command)[1]


@pytest.mark.parametrize(
    ("command", "without", "words"),
    [
        (f"/bin/a {MARK} do not delete *, ask first", "/bin/a", " do not delete *, ask first"),
        (f"/bin/a {MARK} >> /tmp/log 2>&1", "/bin/a", " >> /tmp/log 2>&1"),
        (f"cat {MARK} b%in", "cat%in", " b"),
        (f"/bin/a {MARK}, b", "/bin/a", ", b"),
        (f"/bin/a {MARK}\r", "/bin/a", "\r"),
    ],
)
def test_words_behind_a_tag_are_no_part_of_the_command(command, without, words):
    entry = only(f"0 5 * * * {command}\n")
    assert (entry.tag, entry.command, entry.words) == (TAG, without, words)


def test_a_tag_in_the_standard_input_is_misplaced_but_found():
    entry = only(f"0 5 * * * cat%in {MARK}\n")
    assert (entry.tag, entry.misplaced_tag, entry.command) == (TAG, True, "cat%in")


@pytest.mark.parametrize(
    "command",
    [
        f"cat \\ {MARK}%in",
        f"cat \\ {MARK}",
        f"echo 'open {MARK}'",
        f'echo "a {MARK}" b',
        f"echo `a {MARK}",
    ],
)
def test_a_tag_that_the_shell_takes_for_a_part_of_the_command_marks_no_entry(command):
    document = parse(f"0 5 * * * {command}\n")
    assert (document.entry(0).tag, document.entry(0).command) == (None, command)
    assert (document.by_tag, document.mentions) == ({}, {TAG: 0})


@given(st.text("a'\"\\%# ", max_size=8), st.text("ab'\"\\# ", max_size=8))
@settings(max_examples=150)
def test_words_behind_a_tag_never_reach_the_shell(command, words):
    command = f"a{command}"
    entry = only(f"@daily {command} {MARK} {words}\n")
    assume(entry.tag and not entry.misplaced_tag)
    changed = Draft(parse(entry.raw)).change(0, schedule="@hourly").done().entry(0)
    assert changed.raw == entry.raw.replace("@daily", "@hourly")
    assert (entry.command, entry.words) == (command, f" {words}")


@pytest.mark.parametrize(
    "command", [f"/bin/a {MARK}", f"/bin/a {MARK}  ", f"cat {MARK}%in", f"/bin/a\t{MARK}"]
)
def test_a_tag_at_the_end_of_the_command_proper_is_in_its_place(command):
    assert not only(f"0 5 * * * {command}\n").misplaced_tag


@pytest.mark.parametrize("more", ["0", "-", ""])
def test_what_is_not_quite_a_tag_belongs_to_the_command(more):
    command = f"/bin/a {MARK}{more}" if more else f"/bin/a{MARK}"
    entry = only(f"0 5 * * * {command}\n")
    assert (entry.tag, entry.command) == (None, command)


def test_a_tag_in_upper_case_is_the_same_tag():
    assert only(f"0 5 * * * a # PITASKER_ID:{str(TAG).upper()}\n").tag == TAG


def test_a_copied_tag_is_found_on_every_line_that_has_it():
    document = parse(sample("tags"))
    assert document.by_tag[TAG] == [1, 5]


def test_a_tag_with_no_command_left_is_still_a_tag():
    assert only(f"0 5 * * * {MARK}\n").tag == TAG


def test_tags_of_broken_lines_are_mentions():
    document = parse(sample("broken_with_tags"))
    assert sorted(document.mentions.values()) == [1, 3, 5, 7]


def test_a_tag_on_a_line_with_a_nul_byte_is_a_mention():
    assert parse(f"0 5 * * * a\0b {MARK}\n").mentions == {TAG: 0}


@pytest.mark.parametrize(
    ("command", "shell"),
    [
        ("/bin/a \\", None),
        (r"/bin/a \\", None),
        ("/bin/a " + 5 * "\\", None),
        (r"/bin/a \\%in", None),
        ("echo 'open", None),
        ('echo "open', None),
        ("echo `open", None),
        ('echo "a\\"', None),
        (r'echo "a\\"', None),
        ("x" * (LONGEST_TAGGED + 1), None),
        ("/bin/a", "/usr/bin/fish"),
        ("/bin/a", "/usr/bin/perl"),
        ("/bin/a", '"/bin/sh -e"'),
    ],
)
def test_a_command_that_the_tag_would_change_cannot_carry_it(command, shell):
    environment_line = f"SHELL={shell}\n" if shell else ""
    assert why_not_tagged(
        parse(f"{environment_line}0 5 * * * {command}\n"), 1 if shell else 0, command
    )


@pytest.mark.parametrize(
    "command",
    [
        "echo 'closed' \"closed\" `closed`",
        "echo it\\'s",
        "echo '\"' \"'\"",
        "echo hi # it's a comment",
        "echo a#b'c#d'",
        r"date +\%F",
        'echo \\\\"',
        "echo ${#HOME} $#",
        "cat%it's input",
        "echo \\#'a'",
        "echo " + 3 * "\\",
        "echo " + 4 * "\\",
    ],
)
def test_a_command_with_nothing_left_open_can_carry_a_tag(command):
    assert why_not_tagged(parse(""), None, command) is None


def test_cronie_leaves_two_backslashes_two_and_the_shell_sees_a_comment():
    assert why_not_tagged(parse("", Dialect.CRONIE), None, "/bin/a \\\\") is None


def test_a_shell_set_below_an_entry_has_no_say_in_its_tag():
    assert why_not_tagged(parse("@daily a\nSHELL=/usr/bin/fish\n"), 0, "a") is None


shell_words = st.lists(
    st.sampled_from(["'", '"', "\\", "$", "#", " ", ";", "k", "z ", "printf k", "%", "\\%", "é"]),
    max_size=10,
).map(lambda words: "printf '<%s>' ".replace("%", "\\%") + "".join(words))


@given(shell_words)
@settings(max_examples=150)
def test_a_command_behaves_with_its_tag_as_without(command):
    assume(why_not_tagged(parse(""), None, command) is None and "$$" not in command)

    def run(line):
        shell, stdin = as_cron_runs(line)
        done = subprocess.run(
            ["/bin/sh", "-c", shell],
            input=stdin.encode(),
            capture_output=True,
            check=False,
            env={"PATH": "/nonexistent"},
        )
        return done.stdout, done.returncode, stdin

    assert run(add_tag(command, TAG)) == run(command)


# Names and commands: one line, or nothing.

CONTROLS = ["\n", "\r", "\0", "\x01", "\x0b", "\x0c", "\x1b", "\x7f", "\x85", "\x9f", "\udce9"]


@pytest.mark.parametrize("at", ["{}a b", "a{} b", "a b{}"])
@pytest.mark.parametrize("character", [*CONTROLS, "\t"])
def test_a_name_with_a_control_character_is_refused(character, at):
    with pytest.raises(InvalidSyntax):
        refuse_name(at.format(character))


@pytest.mark.parametrize("at", ["{}a b", "a{} b", "a b{}"])
@pytest.mark.parametrize("character", CONTROLS)
def test_a_command_with_a_control_character_is_refused(character, at):
    with pytest.raises(InvalidSyntax):
        refuse_command(at.format(character))


@pytest.mark.parametrize("at", ["{}0 5 * * *", "0 5{} * * *", "0 5 * * *{}"])
@pytest.mark.parametrize("character", CONTROLS)
def test_a_schedule_with_a_control_character_is_refused(character, at):
    with pytest.raises(InvalidSyntax):
        added(parse(""), "Name", at.format(character), "/bin/a", TAG)


@pytest.mark.parametrize(
    "name",
    [
        *("", " ", "\t", " a", "a ", "x" * (NAME_LIMIT + 1)),
        *(f"x {MARK}", MARK, MARK[2:], f"0 5 * * * x {MARK}", f"x {MARK} y"),
    ],
)
def test_a_name_that_would_not_stay_a_name_is_refused(name):
    with pytest.raises(InvalidSyntax):
        refuse_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("Backup", "Überwachung 🌡", "0 5 * * * /bin/a", "#hash", "# hash #", "A=b", "100%"),
        *("*", "\\", "x" * NAME_LIMIT, "PITASKER_ID:", "a\u2028b"),
    ],
)
def test_a_name_stands_in_the_comment_and_reads_back(name):
    document = parse(str(added(parse(""), name, "@daily", "/bin/a", TAG)))
    assert document.comment_above(1) == name


@pytest.mark.parametrize("command", ["", " ", "\t", " /bin/a", "\t/bin/a", "*", "* /bin/a"])
def test_a_command_that_cron_would_read_otherwise_is_refused(command):
    with pytest.raises(InvalidSyntax):
        refuse_command(command)


@pytest.mark.parametrize("command", [f"/bin/a {MARK}", MARK, f"/bin/a {MARK} b", f"cat%a {MARK}"])
def test_a_command_with_a_tag_of_its_own_is_refused(command):
    with pytest.raises(InvalidSyntax):
        refuse_command(command)


@pytest.mark.parametrize(
    "command",
    [
        "echo 'single' \"double\" $(date) `date`",
        r"date +\%F >> /tmp/größe.txt",
        "cat%first line%second line",
        "%only input",
        "echo a # a comment",
        "# nothing but a comment",
        "a  b\t c",
        "echo こんにちは",
        "echo a\u2028b",
        "echo ends in blanks  ",
        "=x",
        "-n",
        "1",
    ],
)
def test_a_command_is_kept_as_it_was_given(command):
    assert with_command(command).command == command


def test_a_command_of_exactly_the_limit_is_taken():
    assert with_command("x" * LONGEST_TAGGED).command == "x" * LONGEST_TAGGED


def test_the_limit_counts_bytes():
    with pytest.raises(InvalidSyntax, match="with its tag it has 999 bytes"):
        with_command("é" * ((LONGEST_TAGGED + 1) // 2))


@debian_only
def test_debian_takes_the_longest_tagged_command():
    document = added(parse(""), "Name", "0 5 * * *", "x" * LONGEST_TAGGED, TAG)
    assert not refused_by_crontab(str(document))


def test_a_schedule_and_command_that_are_a_setting_together_are_refused():
    with pytest.raises(InvalidSyntax):
        added(parse(""), "Name", "@daily", "=x", TAG)


@pytest.mark.parametrize("schedule", ["", " ", "0 5 * *", "61 * * * *", "# 0 5 * *", "every day"])
def test_an_invalid_schedule_is_refused(schedule):
    with pytest.raises(InvalidSyntax):
        added(parse(""), "Name", schedule, "1 2 3 4 5 /bin/a", TAG)


# Edits.


@given(crontabs, names, schedules, commands, st.booleans())
@settings(max_examples=150)
def test_what_is_added_reads_back_as_it_was_asked_for(text, name, schedule, command, paused):
    before = parse(text)
    try:
        after = added(before, name, schedule, command, OTHER, paused)
    except InvalidSyntax:
        return
    entry = after.entry(len(after.lines) - 1)
    assert after == parse(str(after))
    assert str(after).startswith(text)
    assert after.comment_above(len(after.lines) - 1) == name
    assert (entry.schedule, entry.command, entry.tag, entry.paused, entry.misplaced_tag) == (
        *(schedule, command, OTHER, paused),
        False,
    )


@given(
    crontabs,
    st.integers(0, 7),
    st.none() | schedules,
    st.none() | commands,
    st.sampled_from([None, True, False]),
    st.sampled_from([None, OTHER]),
)
@settings(max_examples=150)
def test_what_is_changed_reads_back_as_it_was_asked_for(text, at, schedule, command, paused, tag):
    before = parse(text)
    entries = dict(before.entries())
    assume(entries)
    index = list(entries)[at % len(entries)]
    old = entries[index]
    try:
        fields = {"schedule": schedule, "command": command, "paused": paused, "tag": tag}
        changes = {name: value for name, value in fields.items() if value is not None}
        after = Draft(before).change(index, **changes).done()
    except InvalidSyntax:
        return
    new = after.entry(index)
    assert after == parse(str(after))
    assert (new.schedule, new.command, new.tag, new.paused) == (
        old.schedule if schedule is None else schedule,
        old.command if command is None else command,
        tag or old.tag,
        old.paused if paused is None else paused,
    )
    assert after.lines[:index] + after.lines[index + 1 :] == (
        before.lines[:index] + before.lines[index + 1 :]
    )


@debian_only
@given(crontabs, schedules, commands, st.booleans())
@settings(max_examples=150)
def test_debian_takes_what_was_added(text, schedule, command, paused):
    text = text.replace("61 *", "1 *")
    try:
        after = added(parse(text), "Name", schedule, command, OTHER, paused)
    except InvalidSyntax:
        return
    assert not refused_by_crontab(str(after))


@given(crontabs, schedules, commands, st.booleans())
def test_an_addition_adds_exactly_one_entry_and_a_paused_one_none_for_cron(
    text, schedule, command, paused
):
    def active(text):
        return sum(not entry.paused for _, entry in parse(text).entries())

    try:
        after = added(parse(text), "Name", schedule, command, OTHER, paused)
    except InvalidSyntax:
        return
    assert active(str(after)) == active(text) + (not paused)


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.stem)
def test_adding_and_removing_an_entry_gives_the_same_bytes(file):
    text = decode(file.read_bytes())
    document = added(parse(text), "Name", "0 5 * * *", "/bin/a", OTHER)
    missing_end = "\n" if text and not text.endswith("\n") else ""
    assert str(Draft(document).remove(len(document.lines) - 1, "Name").done()) == text + missing_end


def test_an_addition_ends_a_last_line_that_had_no_end():
    assert str(added(parse("@daily a"), "Name", "@daily", "b", TAG)) == (
        f"@daily a\n# Name\n@daily b {MARK}\n"
    )


def test_a_paused_entry_is_added_as_a_comment_with_its_tag():
    assert with_command("/bin/a", paused=True).raw == f"# 0 5 * * * /bin/a {MARK}\n"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"schedule": "@daily"}, f"\t@daily\t/bin/a  b {MARK}%in\n"),
        ({"command": "/bin/c"}, f"\t*/5  * * * *\t/bin/c {MARK}\n"),
        ({"paused": True}, f"# \t*/5  * * * *\t/bin/a  b {MARK}%in\n"),
        ({"tag": OTHER}, f"\t*/5  * * * *\t/bin/a  b # PITASKER_ID:{OTHER}%in\n"),
        ({}, f"\t*/5  * * * *\t/bin/a  b {MARK}%in\n"),
    ],
)
def test_an_edit_keeps_the_indent_the_gaps_and_the_other_fields(change, line):
    document = parse(f"# Above\n\t*/5  * * * *\t/bin/a  b {MARK}%in\nA=b\n")
    assert str(Draft(document).change(1, **change).done()) == f"# Above\n{line}A=b\n"


@pytest.mark.parametrize(
    ("line", "resumed"),
    [
        (f"# 0 5 * * * a {MARK}\n", f"0 5 * * * a {MARK}\n"),
        (f"#0 5 * * * a {MARK}\n", f"0 5 * * * a {MARK}\n"),
        (f"  #\t0 5 * * *  a {MARK}\n", f"  \t0 5 * * *  a {MARK}\n"),
    ],
)
def test_a_paused_entry_resumes_in_its_place(line, resumed):
    assert str(Draft(parse(line)).change(0, paused=False).done()) == resumed


@pytest.mark.parametrize("line", ["0 5 * * * a", "\t@daily\ta  b", "  0\t5 * * * cat%in"])
def test_pausing_and_resuming_gives_the_same_bytes(line):
    text = str(Draft(parse(line + "\n")).change(0, tag=TAG).done())
    paused = Draft(parse(text)).change(0, paused=True).done()
    assert str(Draft(paused).change(0, paused=False).done()) == text
    assert Draft(parse(text)).change(0, paused=True).change(0, paused=False).done() == parse(text)


def test_a_change_of_a_paused_entry_leaves_it_paused():
    changed = Draft(parse(f"#0 5 * * * a {MARK}\n")).change(0, schedule="@daily").done()
    assert str(changed) == f"#@daily a {MARK}\n"


def test_an_entry_without_a_tag_cannot_be_paused():
    with pytest.raises(InvalidSyntax):
        Draft(parse("0 5 * * * a\n")).change(0, paused=True).done()


@pytest.mark.parametrize(
    "line",
    [
        f"## 0 5 * * * a {MARK}\n",
        f"# see 0 5 * * * a {MARK}\n",
        f"# A=b {MARK}\n",
        f"# {MARK}\n",
        "# 0 5 * * * a\n",
    ],
)
def test_a_comment_is_a_paused_entry_only_if_it_is_a_job_with_a_tag(line):
    assert isinstance(only(line), Comment)


def test_the_last_line_stays_without_an_end_when_it_is_edited():
    assert str(Draft(parse("@daily a")).change(0, command="b").done()) == "@daily b"


def test_a_misplaced_tag_goes_back_to_its_place_with_any_edit():
    assert str(Draft(parse(f"@daily a%b {MARK}\n")).change(0).done()) == f"@daily a {MARK}%b\n"


def test_an_edit_leaves_the_words_behind_the_tag():
    document = parse(f"@daily a {MARK} ask me %in\n")
    assert str(Draft(document).change(0, command="b%on").done()) == f"@daily b {MARK} ask me %on\n"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f"@daily a {MARK} ask me %in\n", "ask me"),
        (f"# @daily a {MARK} # ask me\n", "ask me"),
        (f"@daily a {MARK} ask me\r\n", "ask me"),
    ],
)
def test_words_behind_a_tag_can_become_a_comment_above(line, words):
    above = "A=b\n\n# Name\n"
    done = str(Draft(parse(above + line)).words_to_comment(3).done())
    entry = parse(done).entry(4)
    assert done == f"A=b\n\n# {words}\n# Name\n{entry.raw}"
    assert (entry.words, entry.command) == ("", parse(line).entry(0).command)


def test_words_behind_a_tag_can_become_a_part_of_the_command():
    document = parse(f"@daily a {MARK} --more %in\n")
    assert str(Draft(document).words_to_command(0).done()) == f"@daily a --more {MARK}%in\n"


def test_an_edit_that_cannot_carry_its_tag_is_refused():
    with pytest.raises(InvalidSyntax):
        Draft(parse(f"@daily a {MARK}\n")).change(0, command="a \\").done()


@pytest.mark.parametrize(
    ("line", "untagged"),
    [
        (f" @daily\tcat {MARK}%in\n", " @daily\tcat%in\n"),
        (f"@daily a {MARK} b", "@daily a # b"),
        (f"@daily a {MARK} # b\n", "@daily a # b\n"),
        (f"@daily a {MARK} b%in\n", "@daily a # b%in\n"),
        (f"@daily a {MARK}  \n", "@daily a\n"),
        (f"# @daily a {MARK}\n", "# @daily a\n"),
    ],
)
def test_an_entry_without_its_tag_is_otherwise_as_it_was(line, untagged):
    document = Draft(parse(line)).untag(0).done()
    assert str(document) == untagged
    assert document.by_tag == {}


def test_a_rename_changes_the_comment_that_has_the_old_name():
    document = parse(f"A=b\n# Old\n@daily a {MARK}\n")
    assert str(renamed(document, 2, "Old", "New")) == f"A=b\n# New\n@daily a {MARK}\n"


@pytest.mark.parametrize("above", ["", "# Somebody's words\n", "# Old\n\n"])
def test_a_rename_leaves_other_words_alone(above):
    document = parse(f"{above}@daily a {MARK}\n")
    assert renamed(document, len(document.lines) - 1, "Old", "New") == document


def test_a_rename_to_what_is_no_name_is_refused():
    with pytest.raises(InvalidSyntax):
        renamed(parse("# Old\n@daily a\n"), 1, "Old", "two\nlines")


def test_a_removal_takes_the_comment_that_is_given_with_it():
    assert str(Draft(parse("# Name\n@daily a\n# Other\n")).remove(1, "Name").done()) == "# Other\n"


@pytest.mark.parametrize("comment", [None, "Other"])
def test_a_removal_leaves_a_comment_that_is_not_ours(comment):
    assert str(Draft(parse("# Name\n@daily a\n")).remove(1, comment).done()) == "# Name\n"


def test_a_removal_of_the_first_line_does_not_take_the_last_for_its_comment():
    assert str(Draft(parse("@daily a\n# Name\n")).remove(0, "Name").done()) == "# Name\n"


# Names of imported entries.


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("# Nightly backup\n0 2 * * * /bin/a\n", "Nightly backup"),
        ("## Nightly backup\n0 2 * * * /bin/a\n", "Nightly backup"),
        ("# Nightly backup\n\n0 2 * * * /opt/tools/backup.sh --all\n", "backup.sh"),
        ("#\n0 2 * * * /bin/a\n", "a"),
        ("# ---------\n0 2 * * * /bin/a\n", "a"),
        ("# --- Backups ---\n0 2 * * * /bin/a\n", "a"),
        ("#### Backups ####\n0 2 * * * /bin/a\n", "a"),
        ("# ~~~Backups\n0 2 * * * /bin/a\n", "a"),
        ("# -- Backups\n0 2 * * * /bin/a\n", "-- Backups"),
        ("# 0 5 * * * /bin/off\n0 2 * * * /bin/a\n", "a"),
        (f"# see x {MARK}\n0 2 * * * /bin/a\n", "a"),
        ("# tab\there\n0 2 * * * /bin/a\n", "a"),
        ("0 2 * * * cd /tmp && sudo LANG=C /usr/bin/make all\n", "make"),
        ("0 2 * * * nice -n 19 /opt/backup.sh\n", "backup.sh"),
        ("0 2 * * * nice -19 ionice -c 3 timeout -k 5 1h /opt/backup.sh -n 3\n", "backup.sh"),
        ("0 2 * * * sudo -u pi flock -n /tmp/lock -c '/opt/tune up'\n", "tune"),
        ('0 2 * * * bash -lc "cd /opt; ./play tune"\n', "play"),
        ('0 2 * * * echo "play tune"\n', "echo"),
        ("0 2 * * * python3 -m http.server\n", "http.server"),
        ("0 2 * * * python3 -c 'print(19)'\n", "python3"),
        ("0 2 * * * [ -e /tmp/x ] && /opt/check >/dev/null 2>&1\n", "check"),
        ("0 2 * * * echo it's tune\n", "Entry in line 1"),
        ("0 2 * * * $HOME/bin/x\n", "Entry in line 1"),
        ("0 2 * * * sudo LANG=C /usr/bin/make all\n", "make"),
        ("0 2 * * * /usr/bin/python3 -u /home/pi/read.py\n", "read.py"),
        ("0 2 * * * sleep 5; /opt/poll.sh\n", "poll.sh"),
        ("0 2 * * * /bin/sleep 5 && sudo sleep 5 && /opt/poll.sh\n", "poll.sh"),
        ("0 2 * * * sleep 5\n", "Entry in line 1"),
        ("0 2 * * * find /tmp -mtime +5 -delete\n", "find /tmp"),
        ("0 2 * * * sudo find /tmp -exec /opt/clean.sh {} ';'\n", "clean.sh"),
        ("0 2 * * * find /tmp -exec rm {} ';'\n", "find /tmp"),
        ("0 2 * * * cd / && run-parts --report /etc/cron.daily\n", "run-parts /etc/cron.daily"),
        ("0 2 * * * rm '/tmp/a b'\n", "rm"),
        ("0 2 * * * %in\n", "Entry in line 1"),
        ("0 2 * * *\n", "Entry in line 1"),
        (sample("debian_template") + "0 2 * * * /bin/a\n", "a"),
        (sample("piled_headers"), "backup.sh"),
    ],
)
def test_a_name_is_suggested_by_the_comment_above_or_the_program(text, name):
    document = parse(text)
    last = [index for index, _ in document.entries()][-1]
    assert suggest_names(document, [last]) == {last: name}


@given(fragments, fragments.map(lambda text: text.replace("\n", "")))
def test_a_suggested_name_is_always_one_that_can_be_taken(comment, command):
    document = parse(f"# {comment}\n0 5 * * * {command}\n1 5 * * * {command} x\n")
    names = suggest_names(document, [index for index, _ in document.entries()])
    assert all(map(is_name, names.values()))


@pytest.mark.parametrize(
    ("commands", "names"),
    [
        (["/bin/a", "/bin/b"], ["a", "b"]),
        (["/bin/a --room bath", "/bin/a --room hall"], ["a bath", "a hall"]),
        (["/bin/a -v x 1 2 3 4", "/bin/a -v x"], ["a 1 2", "a"]),
        (
            ["cd /srv/p1 && ./run.sh", "cd /srv/p2 && ./run.sh"],
            ["run.sh /srv/p1", "run.sh /srv/p2"],
        ),
        (["/bin/a", "/bin/a", "/bin/a"], ["a", "a (2)", "a (3)"]),
        (["/bin/a ftp://me:secret@x", "/bin/a ftp://x"], ["a", "a ftp://x"]),
        (["/bin/a %one", "/bin/a %two"], ["a", "a (2)"]),
        (["/bin/a " + 99 * "x", "/bin/a 'two words'"], ["a", "a (2)"]),
    ],
)
def test_names_of_entries_that_run_one_program_tell_them_apart(commands, names):
    document = parse("".join(f"0 5 * * * {command}\n" for command in commands))
    assert list(suggest_names(document, range(len(commands))).values()) == names


def test_the_comment_above_an_entry_stays_its_name_beside_a_program_of_that_name():
    document = parse("# a\n0 5 * * * /bin/b x\n0 5 * * * /bin/a y\n")
    assert suggest_names(document, [1, 2]) == {1: "a", 2: "a (2)"}


@given(texts)
def test_every_line_is_of_one_known_kind(text):
    document = parse(text)
    assert isinstance(document, Document)
    assert all(
        isinstance(x, Blank | Comment | EnvironmentLine | Entry | Invalid) for x in document.lines
    )
