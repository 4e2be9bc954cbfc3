"""Programs that run another program: shells, interpreters, and such as `sudo` and `nice`. Pure."""

import re

from pitasker_core.crontab.shell_words import Word

SHELLS = frozenset({"sh", "bash", "dash", "ash", "ksh", "mksh", "zsh"})
_INTERPRETER = re.compile(r"(?:python|perl|ruby|php|node|lua|tclsh)[\d.]*")
VALUED = {
    "nice": ("-n", "--adjustment"),
    "ionice": ("-c", "-n", "-p", "--class", "--classdata"),
    "sudo": ("-u", "-g", "-h", "-p", "-C", "-D", "--user", "--group"),
    "doas": ("-u", "-C"),
    "env": ("-u", "-C", "--unset", "--chdir"),
    "timeout": ("-s", "-k", "--signal", "--kill-after"),
    "flock": ("-w", "-E", "--timeout", "--wait", "--conflict-exit-code"),
}
"""Options of vehicles that take the next word."""
FIRST_OPERAND = frozenset({"timeout", "flock", "chrt", "taskset"})
"""Vehicles whose first operand is not what they run."""
VEHICLES = FIRST_OPERAND | {*VALUED, "nohup", "setsid", "time", "chronic", "unbuffer", "stdbuf"}
"""Programs that run another program, whose name stands after their options."""
OTHER_USER = frozenset({"sudo", "doas"})


def is_interpreter(program: str) -> bool:
    """Whether a program reads and runs the file that it is given, which need not be executable."""
    name = program.rsplit("/", 1)[-1]
    return name in SHELLS or _INTERPRETER.fullmatch(name) is not None


def behind_options(vehicle: str, words: list[Word]) -> tuple[list[Word], bool]:
    """The words behind a vehicle's options and assignments, and whether these may set PATH."""
    skips, changes_path = int(vehicle in FIRST_OPERAND), False
    rest = iter(enumerate(words))
    for place, word in rest:
        source = word.source
        if source.startswith("-"):
            changes_path |= vehicle == "env"
            if vehicle == "flock" and source in ("-c", "--command"):
                return [], changes_path
            if source in VALUED.get(vehicle, ()):
                next(rest, None)
        elif re.match(r"\w+=", source):
            changes_path |= source.startswith("PATH=")
        elif skips:
            skips -= 1
        else:
            return words[place:], changes_path
    return [], changes_path
