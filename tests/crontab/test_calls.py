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
        ("bash -o pipefail -c 'a | b'", {"programs": ["bash"], "scripts": []}),
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
    found = read(command)
    assert {name: found[name] for name in expected} == expected


def test_a_relative_path_begins_in_the_folder_that_was_entered() -> None:
    script = read_script("cd /srv && ./a; cd sub; ./b > c")
    calls = read_calls(script, {"HOME": "/home/pi"})
    assert [call.path for call in calls.calls] == ["/srv/a", "/srv/sub/b"]
    assert [file.path for file in calls.outputs] == ["/srv/sub/c"]
