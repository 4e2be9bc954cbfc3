"""The launcher `pitasker` on machines that lack programs, with stand-ins for programs."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.waiting import patience

PROJECT = Path(__file__).parents[2]

# A Python that creates environments from itself, and records the calls of pip.
_PYTHON = """#!/bin/sh
case "$*" in
*version_info*) exit {too_old} ;;
*ensurepip*) exit {no_venv} ;;
"-m venv --clear"*) rm -rf "$4"; mkdir -p "$4/bin"; cp "$0" "$4/bin/python" ;;
"-m pip --version") ;;
"-m pip install"*) sleep {slowness}; echo "$*" >>"{log}"; exit {pip_fails} ;;
*) echo "started: $*"; echo "in: $PWD"; echo "path: $PYTHONPATH"; exit 7 ;;
esac
"""


_BASIC_PROGRAMS = (
    "sh",
    "id",
    "cat",
    "dirname",
    "readlink",
    "nproc",
    "tr",
    "flock",
    "mkdir",
    "rm",
    "cp",
    "sleep",
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the launcher and requirements, as after `git clone`."""
    folder = tmp_path / "a project"
    (folder / "tests").mkdir(parents=True)
    (folder / "pitasker").write_bytes((PROJECT / "pitasker").read_bytes())
    (folder / "pitasker").chmod(0o755)
    (folder / "requirements.txt").write_text("one==1\n")
    (folder / "tests/requirements.txt").write_text("-r ../requirements.txt\ntwo==2\n")
    return folder


@pytest.fixture
def machine(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Make an environment with only the system's basic programs and a stand-in Python."""

    def make(python: str | None = "python3", uname: str = "aarch64", **faults: object) -> dict:
        programs = tmp_path / "bin"
        programs.mkdir(exist_ok=True)
        for name in _BASIC_PROGRAMS:
            if not (programs / name).exists():
                (programs / name).symlink_to(f"/usr/bin/{name}")
        (programs / "uname").write_text(f"#!/bin/sh\necho {uname}\n")
        (programs / "uname").chmod(0o755)
        if python:
            answers = {"too_old": 0, "no_venv": 0, "pip_fails": 0, "slowness": 0, **faults}
            file = programs / python
            file.write_text(_PYTHON.format(log=tmp_path / "pip.log", **answers))
            file.chmod(0o755)
        return {"PATH": str(programs), "HOME": str(tmp_path)}

    return make


@pytest.fixture
def installations(tmp_path: Path) -> Callable[[], list[str]]:
    """Return the arguments of each call of pip."""

    def read() -> list[str]:
        log = tmp_path / "pip.log"
        return log.read_text().splitlines() if log.exists() else []

    return read


def launch(
    project: Path, environment: dict[str, str], *words: str, cwd: Path = PROJECT
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [project / "pitasker", *words],
        env=environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=patience(),
        stdin=subprocess.DEVNULL,
    )


def test_the_first_start_installs_and_the_second_does_not(
    project: Path, machine: Callable, installations: Callable
) -> None:
    first, second = (launch(project, machine(), "status") for _ in range(2))
    assert "started: -P -m pitasker_core status" in first.stdout
    assert first.returncode == second.returncode == 7
    assert second.stderr == ""
    assert len(installations()) == 1
    assert "--only-binary :all:" in installations()[0]


def test_changed_requirements_are_installed_at_the_next_start(
    project: Path, machine: Callable, installations: Callable
) -> None:
    launch(project, machine(), "status")
    (project / "requirements.txt").write_text("one==2\n")
    launch(project, machine(), "status")
    assert len(installations()) == 2


def test_an_installation_that_failed_is_done_again(
    project: Path, machine: Callable, installations: Callable
) -> None:
    failed = launch(project, machine(pip_fails=1), "status")
    assert failed.returncode == 1
    assert "Check the internet connection" in failed.stderr
    (project / ".venv/bin/python").unlink()  # the stand-in that fails
    assert launch(project, machine(), "status").returncode == 7
    assert len(installations()) == 2


def test_an_environment_whose_python_is_gone_is_made_anew(
    project: Path, machine: Callable, installations: Callable
) -> None:
    launch(project, machine(), "status")
    python = project / ".venv/bin/python"
    python.unlink()
    python.symlink_to("/usr/bin/python3.2")
    assert launch(project, machine(), "status").returncode == 7


def test_two_first_starts_at_once_install_once(
    project: Path, machine: Callable, installations: Callable
) -> None:
    environment = machine(slowness=0.5)
    both = [
        subprocess.Popen([project / "pitasker", "status"], env=environment, stdout=-3, stderr=-3)
        for _ in range(2)
    ]
    assert [start.wait(patience()) for start in both] == [7, 7]
    assert len(installations()) == 1


def test_the_callers_folder_stays_and_is_not_searched_for_modules(
    project: Path, machine: Callable, tmp_path: Path
) -> None:
    result = launch(project, machine(), "raw", "set", "my file", cwd=tmp_path)
    assert f"in: {tmp_path}" in result.stdout
    assert f"path: {project}" in result.stdout
    assert "started: -P -m pitasker_core raw set my file" in result.stdout


def test_a_link_to_the_launcher_starts_it(project: Path, machine: Callable, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere/pitasker"
    link.symlink_to(project / "pitasker")
    result = subprocess.run(
        [link], env=machine(), capture_output=True, text=True, timeout=patience()
    )
    assert "started: -P -m pitasker_core" in result.stdout


@pytest.mark.parametrize(
    ("faults", "said", "advice"),
    [
        ({"python": None}, "needs Python 3.11 or newer", "apt install python3"),
        ({"too_old": 1}, "needs Python 3.11 or newer", "apt install python3"),
        ({"no_venv": 1}, "python3-venv is missing", "apt install python3-venv"),
        ({"uname": "armv7l"}, "needs a 64-bit system", "64-bit Raspberry Pi OS"),
    ],
)
def test_what_is_missing_is_said_in_two_sentences(
    project: Path, machine: Callable, faults: dict, said: str, advice: str
) -> None:
    result = launch(project, machine(**faults))
    assert result.returncode == 1
    assert said in result.stderr
    assert advice in result.stderr
    assert len(result.stderr.splitlines()) == 2
    assert not (project / ".venv").exists()


def test_a_newer_python_is_found_beside_one_too_old(project: Path, machine: Callable) -> None:
    environment = machine(too_old=1)
    old = Path(environment["PATH"]) / "python3"
    before = old.read_text()
    machine("python3.12")
    assert old.read_text() == before
    assert launch(project, environment, "status").returncode == 7


def test_the_tests_run_in_the_project_with_pytests_own_arguments(
    project: Path, machine: Callable, installations: Callable
) -> None:
    environment = machine()
    for name in ("crontab", "chromium-headless-shell", "curl", "nginx", "caddy"):
        (Path(environment["PATH"]) / name).symlink_to("/usr/bin/true")
    result = launch(project, environment, "test", "-k", "a name", cwd=Path("/"))
    assert "started: -m pytest --numprocesses " in result.stdout
    assert " -k a name\n" in result.stdout
    assert f"in: {project}" in result.stdout
    assert "-r " + str(project / "tests/requirements.txt") in installations()[0]


@pytest.mark.skipif(os.getuid() != 0, reason="only root's tests install programs")
def test_the_tests_bring_the_programs_that_are_missing(
    project: Path, machine: Callable, tmp_path: Path
) -> None:
    environment = machine()
    apt = Path(environment["PATH"]) / "apt-get"
    apt.write_text(f'#!/bin/sh\necho "$*" >>"{tmp_path}/apt.log"\n')
    apt.chmod(0o755)
    launch(project, environment, "test")
    installed = (tmp_path / "apt.log").read_text().splitlines()[-1].split()
    # nginx may already be in /usr/sbin.
    assert {"cron", "chromium-headless-shell", "caddy"} <= set(installed)


def test_the_fast_tests_need_no_browser_and_no_proxies(project: Path, machine: Callable) -> None:
    environment = machine()
    (Path(environment["PATH"]) / "crontab").symlink_to("/usr/bin/true")
    result = launch(project, environment, "test", "--fast")
    assert result.stdout.splitlines()[0].endswith(" --fast")


@pytest.mark.parametrize("failing", ["ruff", "mypy", "lint-imports", "shellcheck", None])
def test_lint_runs_every_check_and_fails_when_one_fails(
    project: Path, machine: Callable, failing: str | None
) -> None:
    environment = machine()
    launch(project, environment, "lint")  # creates the environment
    for check in ("ruff", "mypy", "lint-imports", "shellcheck"):
        program = project / ".venv" / "bin" / check
        program.write_text(f'#!/bin/sh\necho "{check} $*"; exit {int(check == failing)}\n')
        program.chmod(0o755)
    result = launch(project, environment, "lint")
    assert result.returncode == int(failing is not None)
    assert result.stdout.splitlines() == [
        "ruff format --check",
        "ruff check",
        "mypy ",
        "lint-imports ",
        "shellcheck pitasker .ci/run .ci/arm_wheels",
    ]


def test_the_demo_without_cron_says_what_to_install(project: Path, machine: Callable) -> None:
    result = launch(project, machine(), "demo")
    assert result.returncode == 1
    assert "apt install cron" in result.stderr


@pytest.mark.slow
def test_the_demo_shows_a_believable_crontab_and_leaves_no_trace(
    tmp_path: Path, cli_environment: dict[str, str]
) -> None:
    home = tmp_path / "tmp"
    home.mkdir()
    demo = subprocess.Popen(
        [PROJECT / "pitasker", "demo", "--port", "8597"],
        env={**cli_environment, "TMPDIR": str(home), "PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert demo.stdout is not None
    assert "the demo at http://127.0.0.1:8597" in demo.stdout.readline()
    (scratch,) = home.glob("pitasker-demo-*")
    listed = subprocess.run(
        [sys.executable, "-m", "pitasker_core", "list"],
        env={**cli_environment, "PITASKER_HOME": str(scratch), "DATABASE_URL": ""},
        capture_output=True,
        text=True,
    )
    assert "Greenhouse temperature" in listed.stdout
    started = time.monotonic()
    demo.terminate()
    demo.wait(patience())
    assert time.monotonic() - started < 30
    assert list(home.glob("pitasker-demo-*")) == []
