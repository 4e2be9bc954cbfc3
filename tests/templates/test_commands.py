"""Each built-in template, run by the real shell with programs that record their calls."""

import re
from uuid import UUID

import pytest

from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.crontab.document import parse
from pitasker_core.crontab.entry_spec import EntrySpec, check_entry
from pitasker_core.database.notices import TASK_NOTICES
from pitasker_core.templates.catalogue import built_in_templates
from pitasker_core.templates.model import Check, Form, Guard, Kind
from pitasker_core.templates.rendering import render
from tests.helpers.fake_programs import FAKES, REAL, FakePrograms

TEMPLATES = {template.name: template for template in built_in_templates()}
HOSTILE = "a'b\"c $(touch HACKED) `touch HACKED`;touch HACKED&|<>*?[x] \\% \\\\ %n~ {{at}} # é "
ALL = pytest.mark.parametrize("name", TEMPLATES)


@pytest.fixture
def programs(tmp_path):
    return FakePrograms(tmp_path)


def is_free(parameter):
    """Whether the parameter accepts any text of one line."""
    return parameter.kind is Kind.PATH or (
        parameter.kind is Kind.TEXT and parameter.form is Form.LINE
    )


def hostile_values(template, folder):
    values = {}
    for number, parameter in enumerate(template.parameters):
        if not is_free(parameter):
            continue
        value = HOSTILE.strip()[: parameter.longest - 3] + f" {number}"
        if parameter.kind is Kind.PATH:
            path = folder / value
            value = str(path)
            if parameter.check is Check.FOLDER:
                path.mkdir()
            elif parameter.check is Check.FILE:
                path.touch()
        values[parameter.name] = value
    return values


@ALL
def test_its_task_can_be_one_of_the_crontab(name):
    record = render(TEMPLATES[name], {})
    spec = EntrySpec(record.name, record.schedule, record.command, UUID(int=1))
    assert check_entry(spec, parse("")) == []
    assert len(record.command.encode()) < 500  # space for values, the tag and the recorder


@ALL
def test_it_has_recording_a_time_limit_and_a_notification(name):
    template = TEMPLATES[name]
    assert template.record_runs
    assert 30 <= template.timeout_seconds <= 86400
    assert set(template.notify) <= {kind.value for kind in TASK_NOTICES}
    assert "failed" in template.notify
    assert template.labels
    assert template.summary.endswith(".")


@ALL
def test_with_its_defaults_the_shell_runs_its_programs(name, programs):
    template = TEMPLATES[name]
    prepare_defaults(template, programs)
    done = programs.run(render(template, {}).command)
    assert not re.search(rb"not found|[Ss]yntax|[Bb]ad|cannot open", done.stderr), done.stderr
    called = {word for call in programs.calls() for word in (call.program, *call.arguments)}
    reached = {program for program in template.needs if program not in REAL}
    # Programs that run only when a reboot is necessary are not called here.
    assert reached - called <= {"systemd-run"}


def prepare_defaults(template, programs):
    for parameter in template.parameters:
        if parameter.kind is Kind.PATH and parameter.default.startswith("~/"):
            path = programs.home / parameter.default[2:]
            path.parent.mkdir(parents=True, exist_ok=True)
            if parameter.check is Check.FOLDER:
                path.mkdir(exist_ok=True)
            elif parameter.check is Check.FILE:
                path.touch()


@ALL
@pytest.mark.parametrize("halves_backslashes", [True, False], ids=["debian", "cronie"])
def test_hostile_values_are_one_argument_and_run_nothing(
    name, halves_backslashes, programs, tmp_path
):
    template = TEMPLATES[name]
    values = hostile_values(template, tmp_path)
    done = programs.run(render(template, values).command, halves_backslashes=halves_backslashes)
    assert not re.search(rb"not found|[Ss]yntax|[Bb]ad|cannot open", done.stderr), done.stderr
    assert not list(tmp_path.rglob("HACKED"))
    arguments = " \0 ".join(
        word for call in programs.calls() for word in (call.folder, *call.arguments)
    )
    for key, value in values.items():
        is_file = value.startswith("/") and (tmp_path / value.rsplit("/", 1)[-1]).is_file()
        assert value in arguments or is_file or (key, template.name) in NOT_PASSED_ON


NOT_PASSED_ON = {
    ("repository", "restic-backup"),  # in the environment: tested below
    ("repository", "borg-backup"),
    ("path", "disk-space"),  # the output of the real df
}


@pytest.mark.parametrize(
    ("name", "variable"), [("restic-backup", "RESTIC_REPOSITORY"), ("borg-backup", "BORG_REPO")]
)
def test_a_hostile_repository_reaches_its_program(name, variable, programs, tmp_path):
    programs.add(name.split("-")[0], f"printf '%s' \"${variable}\"")
    values = hostile_values(TEMPLATES[name], tmp_path)
    done = programs.run(render(TEMPLATES[name], values).command)
    assert done.stdout.decode().startswith(values["repository"])


@ALL
def test_a_value_that_is_not_of_its_kind_is_refused(name):
    template = TEMPLATES[name]
    for parameter in template.parameters:
        wrong = {
            Kind.PATH: ["relative", "-rf", "", "~other/x"],
            Kind.TIME: ["24:00", "7", "07:60", "", "07:00\n"],
            Kind.NUMBER: [str(parameter.least - 1), str(parameter.most + 1), "1e1", "٣", "", "+5"],
            Kind.TEXT: ["-x", ""] if parameter.form is Form.LINE else ["-x", "", HOSTILE],
            Kind.CHOICE: ["another", ""],
        }[parameter.kind]
        for value in [*wrong, "/a\nb", "/a\0b", "/a\x1bb", "/" + "x" * parameter.longest]:
            with pytest.raises(InvalidSyntax, match=re.escape(f"({parameter.name})")):
                render(template, {parameter.name: value})


def test_no_program_is_named_by_its_path():
    """The tests above would run the real program."""
    for template in TEMPLATES.values():
        assert not re.search(r"(^|[;&|(] ?|sudo -n )/\S", template.command)
        assert set(template.needs) <= {*FAKES, *REAL}


def test_each_kind_of_job_that_was_asked_for_is_there():
    assert {
        "rsync-backup", "restic-backup", "borg-backup", "certificate-renewal", "apt-upgrade",
        "log-rotation", "disk-space", "postgresql-dump", "mariadb-dump", "sqlite-backup",
        "docker-prune", "health-ping", "ddns", "camera-timelapse", "sensor-script", "weekly-reboot",
    } <= TEMPLATES.keys()  # fmt: skip


# --- Guards --------------------------------------------------------------------------------------


def test_nothing_is_copied_to_a_disk_that_is_not_mounted(programs):
    programs.add("mountpoint", "exit 32")
    done = programs.run(render(TEMPLATES["rsync-backup"], {}).command)
    assert (done.returncode, done.stderr) == (69, b"Not mounted\n")
    assert programs.programs_called() == ["mountpoint"]


def test_nothing_is_upgraded_without_a_network(programs):
    programs.add("getent", "exit 2")
    done = programs.run(render(TEMPLATES["apt-upgrade"], {}).command)
    assert (done.returncode, done.stderr) == (69, b"Not online\n")
    assert programs.programs_called() == ["getent"]


def test_a_second_backup_does_not_start_beside_the_first(programs):
    second = render(TEMPLATES["rsync-backup"], {}).command
    (programs.home / "second").write_text(f"#!/bin/sh\n{second}\n")
    programs.add("rsync", 'if [ ! -e "$HOME/once" ]; then : > "$HOME/once"; sh "$HOME/second"; fi')
    (programs.folder / "sh").symlink_to("/bin/sh")
    done = programs.run(second)
    assert done.stderr == b"Still running\n"
    assert list(programs.programs_called()).count("rsync") == 1


@pytest.mark.parametrize("guard", Guard)
def test_each_guard_is_used(guard):
    assert [template for template in TEMPLATES.values() if guard in dict(template.guards)]


# --- What single templates do --------------------------------------------------------------------


def arguments(programs, program):
    return [call.arguments for call in programs.calls() if call.program == program]


def test_rsync_deletes_only_if_that_was_chosen(programs):
    for choice in ("keep", "delete"):
        programs.run(render(TEMPLATES["rsync-backup"], {"deleted": choice}).command)
    expected = (f"{programs.home}/", "/mnt/backup/home/")
    assert arguments(programs, "rsync") == [("-a", *expected), ("-a", "--delete", *expected)]


def test_restic_forgets_old_snapshots_only_after_a_backup(programs):
    programs.add("restic", "exit 1")
    (programs.home / ".restic-password").touch()
    programs.run(render(TEMPLATES["restic-backup"], {}).command)
    assert [call[0] for call in arguments(programs, "restic")] == ["backup"]


@pytest.mark.parametrize(("percent", "code"), [("1", 1), ("100", 0)])
def test_a_full_disk_fails_the_run(percent, code, programs):
    programs.folder.joinpath("df").unlink()
    programs.add("df", "printf 'Use%%\\n 57%%\\n'")
    done = programs.run(render(TEMPLATES["disk-space"], {"percent": percent}).command)
    assert (done.returncode, done.stdout) == (code, b"57 percent used\n")


@pytest.mark.parametrize(("state", "code"), [("0x0", 0), ("0x50000", 1)])
def test_too_little_voltage_fails_the_run(state, code, programs):
    programs.add("vcgencmd", f"echo throttled={state}")
    done = programs.run(render(TEMPLATES["pi-power-check"], {}).command)
    assert (done.returncode, done.stdout) == (code, f"throttled={state}\n".encode())


def test_a_sensors_value_is_added_with_its_time(programs):
    programs.add("cat", "echo 21437")
    for _ in range(2):
        programs.run(render(TEMPLATES["sensor-one-wire"], {"device": "28-01"}).command)
    lines = (programs.home / "sensor.csv").read_text().split("\n")
    assert [bool(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]{8},21437", line)) for line in lines] == [
        True,
        True,
        False,
    ]
    assert arguments(programs, "cat")[0] == ("/sys/bus/w1/devices/28-01/temperature",)


def test_a_picture_takes_the_place_of_the_last_only_when_it_is_whole(programs):
    programs.add("rpicam-still", "exit 1")
    done = programs.run(render(TEMPLATES["camera-snapshot"], {}).command)
    assert (done.returncode, arguments(programs, "mv")) == (1, [])


def test_times_and_numbers_make_the_schedule():
    values = {"minutes": "5", "from": "9", "to": "17"}
    assert render(TEMPLATES["camera-timelapse"], values).schedule == "*/5 9-17 * * *"
    values = {"at": "7:05", "weekday": "Friday"}
    assert render(TEMPLATES["weekly-reboot"], values).schedule == "5 7 * * 5"
