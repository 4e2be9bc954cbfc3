"""Every interface refuses text that could become another line of a crontab or another command."""

import json

import pytest

from pitasker_core import tasks
from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.crontab.document import COMMAND_LIMIT
from pitasker_core.sync import edit, importing, service
from tests.helpers.examples import ME, create

TAG = "7c0e3a52-0b1f-4a5e-9a57-3f3d9c1b2a11"
BREAKS = ["a\n* * * * * evil", "a\r* * * * * evil", "a\0b", "a\x0bb", "a\x1b[2Jb", "a\udcffb"]


@pytest.fixture(autouse=True)
def _unchanged(crontab, environment):
    yield
    assert not crontab.read()
    assert tasks.listing(environment).tasks == []


@pytest.mark.parametrize("text", BREAKS)
@pytest.mark.parametrize("place", ["name", "command", "schedule"])
def test_a_control_character_is_refused_in_a_new_task(environment, place, text):
    values = {"name": "A", "schedule": "0 1 * * *", "command": "/bin/a", place: text}
    with pytest.raises(InvalidSyntax):
        tasks.create(environment, ME, tasks.NewTask(**values))


@pytest.mark.parametrize("text", BREAKS)
@pytest.mark.parametrize("place", ["name", "command", "schedule"])
def test_a_control_character_is_refused_in_a_change(environment, crontab, place, text):
    task = create(environment)
    before = crontab.read()
    with pytest.raises(InvalidSyntax):
        tasks.change(environment, ME, task.id, **{place: text})
    assert crontab.read() == before
    tasks.delete(environment, ME, task.id)


@pytest.mark.parametrize("text", ["a\n* * * * * evil", "a\r* * * * * evil"])
@pytest.mark.parametrize("place", [1, 2, 3])
def test_a_line_break_is_refused_by_the_command_line(environment, cli, capsys, place, text):
    words = ["add", "A", "0 1 * * *", "/bin/a", "--json"]
    words[place] = text
    assert cli(*words) == 3
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "INVALID_SYNTAX"


@pytest.mark.parametrize("text", BREAKS)
def test_a_control_character_is_refused_in_an_imported_name(environment, crontab, text):
    line = "0 1 * * * /bin/a\n"
    crontab.write(line.encode())
    done = importing.import_entries(environment, ME, [importing.Import(1, line, text)])
    assert list(done.errors) == [1]
    assert crontab.read() == line.encode()
    crontab.remove()


@pytest.mark.parametrize(
    "name",
    [f"0 1 * * * x # PITASKER_ID:{TAG}", f"@daily x # PITASKER_ID:{TAG}"],
)
def test_a_name_that_would_be_read_as_a_paused_entry_is_refused(environment, name):
    with pytest.raises(InvalidSyntax):
        create(environment, name)


@pytest.mark.parametrize(
    "command",
    [
        "",
        "   ",
        "* /bin/sixth-field",
        f"/bin/a # PITASKER_ID:{TAG}",
        "echo it's open",
        "echo trailing \\",
        "x" * (COMMAND_LIMIT + 1),
    ],
)
def test_a_command_that_could_not_carry_its_tag_is_refused(environment, command):
    with pytest.raises(InvalidSyntax):
        create(environment, command=command)


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ("61 * * * *", "minute must be 0 to 59"),
        ("* * * *", "four fields: a schedule has five"),
        ("0 25 * * *", "hour must be 0 to 23"),
        ("every day", "@daily"),
        ("0 0 31 2 *", "never"),
        ("@never", "@"),
        ("", "schedule"),
    ],
)
def test_a_bad_schedule_is_refused_in_plain_words(environment, schedule, words):
    with pytest.raises(InvalidSyntax) as refused:
        create(environment, schedule=schedule)
    assert words in refused.value.user_message.lower() or words in refused.value.user_message


def test_a_raw_text_with_a_new_mistake_is_refused_with_its_line(environment):
    with pytest.raises(InvalidSyntax, match="line 2: minute must be 0 to 59"):
        edit.save_raw(environment, "# fine\n61 * * * * x\n", None, actor=ME)


def test_a_raw_text_with_a_nul_byte_is_refused(environment):
    with pytest.raises(InvalidSyntax):
        edit.save_raw(environment, "0 1 * * * a\0b\n", None, actor=ME)


@pytest.mark.parametrize(
    "command",
    [
        """echo "a 'b' c" '#d' # and a comment""",
        "printf 'a\\%b' # 100\\%",
        "cat%first line%second",
        "echo ünï©ödé ☃ 日本",
        "echo `date` $(id) ; true && false || :",
        "x" * (COMMAND_LIMIT - len(f" # PITASKER_ID:{TAG}")),
    ],
)
def test_an_odd_but_good_command_goes_through_the_crontab_and_back(environment, crontab, command):
    task = create(environment, command=command)
    (entry,) = [e for _, e in service.read_crontab(environment)[1].entries()]
    assert (entry.command, entry.tag) == (command, task.tag)
    assert tasks.listing(environment).states[task.id] is tasks.State.SYNCED
    tasks.delete(environment, ME, task.id)


def test_a_command_line_without_a_task_of_that_number_says_so(environment, cli, capsys):
    assert cli("edit", "999", "--name", "x") == 3
    assert "There is no task 999" in capsys.readouterr().err
