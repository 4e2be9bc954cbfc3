"""Edit a crontab from all sides while everything is killed, then check what PiTasker promises.

    PYTHONPATH=. .venv/bin/python benchmarks/chaos.py [--minutes N] [--seed N] [--stale-editors]

Several editors work at the same time on a private spool: the dashboard's functions, the API of a
real server, the command line, and `crontab -l` and `crontab -` as a person uses them. Meanwhile
the server, PostgreSQL, the recorder and commands are killed by SIGKILL, the disk with PiTasker's
data (a small tmpfs) fills up, and the clocks of the dashboard's functions and of commands jump.

A person's edit waits until no process of PiTasker writes. `--stale-editors` leaves that out: then
an edit may be of an older text, and lines can be lost in the ways that docs/sync.md names.

Each line has a number in its command. A line must be in the crontab at the end if an editor was
told that it was saved, and nobody asked to delete it. `chaos_checks.py` has the checks. Prints what
was done, and one line a violation. Exits with 1 if there is a violation.
"""

import argparse
import fcntl
import os
import random
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import chaos_checks
import chaos_command
import httpx
from chaos_checks import Truth
from private_world import isolate, start_server

from pitasker_core import database, tasks
from pitasker_core.base import clock
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.database import embedded
from pitasker_core.server import tokens
from pitasker_core.server.auth import Role
from pitasker_core.sync import edit, service

JUMPS = (-48, -1, 1, 24, 24 * 40)
"""Hours."""

DISK = "160m"
START = """\
# A comment of a person
MAILTO=""

0 4 * * * /bin/own-1   # a line that PiTasker never touches
"""


class CommandFailed(PiTaskerError):
    """A command was refused, or failed."""


class Chaos:
    """The world of a chaos run: a data folder, a server, and what the editors know."""

    def __init__(self, folder: Path, seed: int, stale_editors: bool) -> None:
        self.dice = random.Random(seed)
        self.stale_editors = stale_editors
        self.environment = Environment.from_environment({"PITASKER_HOME": str(folder)})
        self.truth = Truth()
        self.counts: Counter[str] = Counter()
        self.stopping = threading.Event()
        self.problems: list[str] = []
        self.outputs = Path(tempfile.mkdtemp(prefix="pitasker-chaos-outputs-"))
        self.server, self.address = start_server(self.environment)
        self.serves = threading.Event()
        """Set while the server answers: the API's calls wait for it."""
        self.serves.set()
        self.token = tokens.create(self.environment, "chaos", "chaos", Role.WRITE)

    # --- Editors ---

    def schedule(self) -> str:
        """Return a schedule of a random minute."""
        return f"{self.dice.randrange(60)} {self.dice.randrange(24)} * * *"

    def by_function(self) -> None:
        """Act as the dashboard does."""
        mine = self.truth.of("dashboard")
        act = self.dice.choice(["create", "create", "change", "pause", "delete", "undo", "raw"])
        if act == "create" or not mine:
            number = self.truth.begin("dashboard")
            new = tasks.NewTask(f"Job {number}", self.schedule(), f"/bin/chaos-{number} a%in")
            self.truth.added(number, tasks.create(self.environment, "chaos", new).tasks[0].id)
        elif act == "raw":
            number = self.truth.begin("raw editor")
            text, _ = service.read_crontab(self.environment)
            changed = f"{text or ''}# comment {number}\n"
            edit.save_raw(self.environment, changed, text, actor="chaos")
            self.truth.added(number)
        else:
            number, task = self.dice.choice(mine)
            if act == "change":
                tasks.change(self.environment, "chaos", task, schedule=self.schedule())
            elif act == "pause":
                is_paused = tasks.get(self.environment, task).paused
                tasks.change(self.environment, "chaos", task, paused=not is_paused)
            else:
                self.truth.deleting(number)
                deleted = tasks.delete(self.environment, "chaos", task)
                if act == "undo" and deleted.problem is None:
                    tasks.undo(self.environment, "chaos", deleted)
                    self.truth.added(number, task)
                else:
                    self.truth.deleted(number)

    def by_api(self) -> None:
        """Act as a script with a token does, which waits until the server has started."""
        while not self.serves.wait(1):
            if self.stopping.is_set():
                return
        mine = self.truth.of("api")
        headers = {"authorization": f"Bearer {self.token}"}
        with httpx.Client(base_url=self.address, headers=headers, timeout=20) as client:
            act = self.dice.choice(["create", "create", "change", "delete", "sync", "run"])
            if act == "create" or not mine:
                number = self.truth.begin("api")
                new = {
                    "name": f"Job {number}",
                    "cronSchedule": self.schedule(),
                    "command": f"sleep 2; : /bin/chaos-{number}",
                    "recordRuns": self.dice.random() < 0.5,
                }
                answer = client.post("/api/tasks", json=new).raise_for_status()
                self.truth.added(number, answer.json()["tasks"][0]["id"])
                return
            number, task = self.dice.choice(mine)
            if act == "change":
                change = {"cronSchedule": self.schedule()}
                client.patch(f"/api/tasks/{task}", json=change).raise_for_status()
            elif act == "delete":
                self.truth.deleting(number)
                client.delete(f"/api/tasks/{task}").raise_for_status()
                self.truth.deleted(number)
            elif act == "run":
                client.post(f"/api/tasks/{task}/run").raise_for_status()
            else:
                client.post("/api/crontab/sync").raise_for_status()

    def by_command(self) -> None:
        """Run a command, and sometimes kill it."""
        mine = self.truth.of("command")
        act = self.dice.choice(["add", "add", "remove", "sync", "import"])
        number = None
        if act == "add" or (act == "remove" and not mine):
            number = self.truth.begin("command")
            words = ["add", f"Job {number}", self.schedule(), f"/bin/chaos-{number}", "--json"]
        elif act == "remove":
            number, task = self.dice.choice(mine)
            self.truth.deleting(number)
            words = ["remove", str(task), "--json"]
        else:
            words = [act, "--json"]
        hours = 0
        if self.dice.random() < 0.3:
            hours = self.dice.choice(JUMPS)
            self.counts["clock: a command"] += 1
        output = self.outputs / "command"
        process = chaos_command.start(words, output, hours)
        if self.dice.random() < 0.25:
            process.join(self.dice.uniform(0, 0.5))
            if process.is_alive():
                process.kill()
                self.counts["kill: command"] += 1
        process.join()
        errors = chaos_command.errors_of(output).read_text()
        if "Traceback" in errors:
            self.problems.append(f"{words[0]}: {errors[-600:]}")
        elif process.exitcode in (0, 1) and number is not None:
            if words[0] == "add":
                self.truth.added(number, chaos_checks.first_task(output.read_bytes()))
            else:
                self.truth.deleted(number)
        elif process.exitcode not in (0, 1, -signal.SIGKILL):
            raise CommandFailed(errors)

    def by_hand(self) -> None:
        """Edit the crontab as a person does, without PiTasker."""
        with nullcontext() if self.stale_editors else self.between_writes():
            self.edit_by_hand()

    def edit_by_hand(self) -> None:
        """List the crontab, change a line, and install it."""
        listed = subprocess.run(["crontab", "-l"], capture_output=True, check=False)
        if listed.returncode:
            return
        lines = listed.stdout.decode().splitlines(keepends=True)
        act = self.dice.choice(["add", "add", "comment", "change", "change", "delete"])
        number = None
        if act in ("add", "comment"):
            number = self.truth.begin("hand" if act == "add" else "comment")
            line = f"{self.schedule()} /bin/chaos-{number}\n"
            lines.append(line if act == "add" else f"# comment {number}\n")
        else:
            entries = [i for i, line in enumerate(lines) if "/bin/chaos-" in line]
            if not entries:
                return
            index = self.dice.choice(entries)
            number = chaos_checks.number_in(lines[index])
            if act == "change":
                fields = lines[index].removeprefix("# ").split(" ", 5)
                off = "# " if lines[index].startswith("# ") else ""
                lines[index] = f"{off}{self.schedule()} {fields[5]}"
                number = None
            elif self.truth.is_of(number, "hand"):
                self.truth.deleting(number)
                del lines[index]
                number = None
            else:
                return
        time.sleep(self.dice.uniform(0, 0.3) if self.stale_editors else 0)
        subprocess.run(["crontab", "-"], input="".join(lines).encode(), check=True)
        if number is not None:
            self.truth.added(number)

    @contextmanager
    def between_writes(self) -> Iterator[None]:
        """Keep PiTasker from writing meanwhile.

        A write by hand is overwritten if it falls into the milliseconds between PiTasker's last
        look and its own write. No program can prevent that.
        """
        with self.environment.lock.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    # --- Faults ---

    def jump_clock(self) -> None:
        """Set the clock of the dashboard's functions to another time for some seconds."""
        offset = timedelta(hours=self.dice.choice(JUMPS))
        clock.now = lambda: datetime.now(UTC) + offset
        self.stopping.wait(self.dice.uniform(1, 4))
        clock.now = lambda: datetime.now(UTC)

    def restart_server(self) -> None:
        """Kill the server and start another one."""
        self.serves.clear()
        self.server.kill()
        self.server.wait()
        time.sleep(self.dice.uniform(0, 1))
        while not self.stopping.is_set():
            with suppress(SystemExit):  # a full disk, or a killed PostgreSQL
                self.server, self.address = start_server(self.environment)
                self.serves.set()
                return
            self.counts["server: started again"] += 1

    def kill_postgres(self) -> None:
        """Kill PostgreSQL's first process. The next use starts it again."""
        pid = embedded._pid(self.environment.postgres / "data", ready=False)
        if pid:
            os.kill(pid, signal.SIGKILL)

    def kill_recorder(self) -> None:
        """Kill all recorders of this run."""
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                words = (process / "cmdline").read_bytes()
                if f"{self.environment.home}/pitasker-recorder".encode() in words:
                    os.kill(int(process.name), signal.SIGKILL)

    def fill_disk(self) -> None:
        """Fill the disk of the data folder for some seconds."""
        filler = self.environment.home / "filler"
        with suppress(OSError), filler.open("wb", buffering=0) as output:
            while True:
                output.write(bytes(65536))
        self.stopping.wait(self.dice.uniform(0.5, 3))
        filler.unlink(missing_ok=True)

    # --- The run ---

    def repeat(self, name: str, act: Callable[[], None], pause: float) -> None:
        """Act until the run stops. Errors of PiTasker and of connections are expected."""
        while not self.stopping.wait(self.dice.uniform(0, 2 * pause)):
            try:
                act()
                self.counts[name] += 1
            except (PiTaskerError, httpx.HTTPError, subprocess.CalledProcessError, OSError):
                self.counts[f"{name}: refused"] += 1
            except BaseException as problem:
                self.problems.append(f"{name} failed: {type(problem).__name__}: {problem}")

    def run(self, minutes: float) -> list[str]:
        """Run everything at once, then let it settle. Returns the violations."""
        acts = [
            ("edit: dashboard", self.by_function, 0.3),
            ("edit: API", self.by_api, 0.15),
            ("edit: command", self.by_command, 0.1),
            ("edit: hand", self.by_hand, 0.8),
            ("kill: server", self.restart_server, 45.0),
            ("kill: PostgreSQL", self.kill_postgres, 15.0),
            ("kill: recorder", self.kill_recorder, 8.0),
            ("disk full", self.fill_disk, 15.0),
            ("clock: functions", self.jump_clock, 12.0),
        ]
        threads = [threading.Thread(target=self.repeat, args=act) for act in acts]
        for thread in threads:
            thread.start()
        self.stopping.wait(60 * minutes)
        self.stopping.set()
        for thread in threads:
            thread.join()
        (self.environment.home / "filler").unlink(missing_ok=True)
        try:
            settled = chaos_checks.check(self.environment, self.truth)
        finally:
            self.server.terminate()
            self.server.wait()
        return self.problems + settled + self._find_locks()

    def _find_locks(self) -> list[str]:
        """Return a violation if a dead process still holds the crontab's lock."""
        with self.environment.lock.open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return ["the crontab's lock is still held"]
        return []


def main() -> None:
    """Run, and print the result."""
    parser = argparse.ArgumentParser(description="Edit, kill, and check the promises.")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--stale-editors", action="store_true")
    options = parser.parse_args()
    os.environ.pop("DATABASE_URL", None)
    folder = Path(tempfile.mkdtemp(prefix="pitasker-chaos-"))
    os.environ["PITASKER_HOME"] = str(folder)
    folder.chmod(0o700)
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0700", "none", folder], check=True
    )
    subprocess.run(["crontab", "-"], input=START.encode(), check=True)
    print(f"seed {options.seed}", flush=True)
    chaos = Chaos(folder, options.seed, options.stale_editors)
    try:
        violations = chaos.run(options.minutes)
    finally:
        chaos.server.kill()
        chaos.kill_recorder()
        database.stop(chaos.environment)
    for name, count in sorted(chaos.counts.items()):
        print(f"{name:28} {count:6}")
    print(chaos.truth)
    listed = subprocess.run(["crontab", "-l"], capture_output=True, check=False).stdout
    doubles = chaos_checks.count_doubles(listed.decode())
    print(f"{doubles} lines changed in an old editor stand beside the entry imported meanwhile")
    for violation in violations:
        print(f"VIOLATION: {violation}")
    print(f"{len(violations)} violations in {options.minutes:g} minutes")
    if violations:
        result = Path(tempfile.mkdtemp(prefix="pitasker-chaos-result-"))
        shutil.copytree(folder / "logs", result / "logs", dirs_exist_ok=True)
        (result / "crontab").write_bytes(listed)
        print(f"The logs and the crontab are in {result}.")
    shutil.rmtree(chaos.outputs)
    subprocess.run(["umount", folder], check=False)
    folder.rmdir()
    raise SystemExit(bool(violations))


if __name__ == "__main__":
    isolate()
    main()
