"""The programs and files that a shell command names, as far as they are certain."""

import pytest

from pitasker_core.crontab.calls import read_calls
from pitasker_core.crontab.shell import read_script


def read(command: str) -> dict[str, list[str]]:
    calls = read_calls(read_script(command), {"HOME": "/home/pi", "PATH": "/usr/bin:/bin"})
    return {
        "programs": [call.name for call in calls.calls],
        "uncertain": [call.name for call in calls.calls if not call.is_certain],
        "scripts": [file.path for file in calls.scripts],
        "folders": [file.path for file in calls.folders],
        "outputs": [file.path for file in calls.outputs],
    }


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("/x.sh >> /var/log/x 2>&1", {"programs": ["/x.sh"], "outputs": ["/var/log/x"]}),
        ("cd /srv && ./run.sh", {"programs": ["./run.sh"], "folders": ["/srv"]}),
        ("A=b python3 -u /x.py --go", {"programs": ["python3"], "scripts": ["/x.py"]}),
        ("python3 -m http.server", {"programs": ["python3"], "scripts": []}),
        ("bash -o pipefail -c 'a | b'", {"programs": ["bash", "a", "b"], "scripts": []}),
        ("[ -x /opt/x ] && /opt/x", {"programs": ["/opt/x"], "uncertain": ["/opt/x"]}),
        ("cat </etc/motd | sudo tee /x", {"programs": ["cat", "sudo", "tee"], "outputs": []}),
        ("x > /tmp/$(date +%F).log", {"programs": ["x"], "outputs": []}),
        ("'/opt/my job' --all", {"programs": ["/opt/my job"]}),
        ("a || b", {"programs": ["a", "b"], "uncertain": ["b"]}),
        ("(cd /a && x) ; ./y", {"programs": ["x", "./y"], "folders": ["/a"]}),
        ("nice -n 5 timeout -k 9 60 x", {"programs": ["nice", "timeout", "x"]}),
        ("flock -n /l -c x", {"programs": ["flock"]}),
        ("echo 'a && b'", {"programs": []}),
        ("$UNKNOWN x", {"programs": []}),
        ("", {"programs": []}),
    ],
)
def test_a_command_is_read_as_far_as_it_is_certain(
    command: str, expected: dict[str, list[str]]
) -> None:
    fields = read(command)
    assert {name: fields[name] for name in expected} == expected


def test_a_relative_path_begins_in_the_folder_that_was_entered() -> None:
    script = read_script("cd /srv && ./a; cd sub; ./b > c")
    calls = read_calls(script, {"HOME": "/home/pi"})
    assert [call.path for call in calls.calls] == ["/srv/a", "/srv/sub/b"]
    assert [file.path for file in calls.outputs] == ["/srv/sub/c"]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("sh -c '/opt/a && b'", {"programs": ["sh", "/opt/a", "b"]}),
        ('bash -ec "cd /srv; python3 ./x.py"', {"scripts": ["/srv/x.py"], "folders": ["/srv"]}),
        ("sh -c date", {"programs": ["sh", "date"]}),
        ("timeout 9 bash -c 'a > /tmp/x'", {"programs": ["timeout", "bash", "a"]}),
        ("x || sh -c 'a'", {"uncertain": ["sh", "a"]}),
        ("command -v a && sh -c 'a'", {"uncertain": ["a"]}),
        ("sh -c 'sh -c /x'", {"programs": ["sh", "sh", "/x"]}),
        # What the outer shell changes, or what is no plain command, is left out.
        ('sh -c "a $B"', {"programs": ["sh"]}),
        ("sh -c 'a'\\''b'", {"programs": ["sh"]}),
        ("sh -c 'for i in a; do b; done'", {"programs": ["sh"]}),
        ("sh -c 'f() { b; }; f'", {"programs": ["sh"]}),
        ("zsh -c 'print x'", {"programs": ["zsh"]}),
        ("sh /x.sh -c 'a'", {"programs": ["sh"], "scripts": ["/x.sh"]}),
        # sudo and its user have other rights, and other folders.
        ("sudo sh -c 'cd /root && echo x > /etc/y'", {"folders": [], "outputs": []}),
    ],
)
def test_a_command_in_plain_quotes_is_read_too(
    command: str, expected: dict[str, list[str]]
) -> None:
    calls = read(command)
    assert {name: calls[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("command", "search"),
    [
        ("bash -c a", "/usr/bin:/bin"),
        ("bash -lc a", None),
        ("bash --login -c a", None),
        ("PATH=/x bash -c a", None),
        ("env -i bash -c a", None),
        ("sudo bash -c a", None),
        ("bash -c 'source /x/env; a'", None),
    ],
)
def test_the_inner_shell_has_the_path_of_the_outer_one(command: str, search: str | None) -> None:
    variables = {"HOME": "/home/pi", "PATH": "/usr/bin:/bin"}
    calls = read_calls(read_script(command), variables).calls
    assert (calls[-1].name, calls[-1].search) == ("a", search)


def test_the_words_of_an_inner_command_have_their_places_in_the_line() -> None:
    line = "nice sh -c 'a  /b/c >/d'"
    calls = read_calls(read_script(line), {"HOME": "/home/pi"})
    word = calls.calls[-1].arguments[0]
    assert line[word.start : word.end] == "/b/c"
    assert line[calls.outputs[0].word.start : calls.outputs[0].word.end] == "/d"
