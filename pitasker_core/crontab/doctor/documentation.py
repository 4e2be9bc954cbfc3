import re

from pitasker_core.crontab.doctor.catalogue import GROUPS
from pitasker_core.crontab.doctor.rule import EntryRule, LineRule

_LONG = 120
"""Characters of an example's line that are shown."""

_INTRODUCTION = """\
# The doctor

The doctor reads a crontab and reports what will not work, or not as its author expects. It knows
cron's own rules, reads each command as the shell does, and looks at the files that it names. It
starts nothing.

    ./pitasker doctor                  # the installed crontab
    ./pitasker doctor FILE             # a file; - is standard input. Needs no database
    ./pitasker doctor FILE --text-only # a crontab of another machine: read no file of this one
    ./pitasker doctor --json           # for programs

The exit code is 0 if nothing of high severity was found, 1 if something was, and 3 if the crontab
could not be read, as without a `crontab` program. Other findings do not change it.

| severity | meaning |
|---|---|
| high | The job does not run, does something else than its line says, or is open to others. |
| medium | The job may fail, or do what its author did not expect. |
| low | Worth knowing. |

Some findings have a fix: another schedule, command or value that is safe to use. The
dashboard applies it with one click, the command line with `./pitasker doctor --fix RULE LINE`.

A rule can be silenced for a task or for a line that no task manages. For a line, the silence ends
when its schedule or command changes. In the dashboard, each finding has *Silence* beside its fix.
The page Tasks and the page of a task list the silenced findings, and report them again.

    ./pitasker doctor --silence output_discarded 7       # for task 7
    ./pitasker doctor --silence output_discarded line:12 # for line 12 of the crontab
    ./pitasker doctor --unsilence output_discarded 7

What the doctor cannot know, it does not report: a path on a network folder that does not answer, a
variable that a script sets, a command behind `||`, or a program that the line tests for first
(`command -v NAME && NAME`). A paused entry is not examined. Files such as `/etc/crontab`, which
have a column for the user, are not crontabs of users: the doctor takes that column for the program.

The programs and files of the command in `sh -c '…'` and `bash -c "…"` are examined too, where its
quotes are plain.
"""


def render_documentation() -> str:
    """The text of docs/doctor.md."""
    parts = [_INTRODUCTION]
    for heading, rules in GROUPS.items():
        parts.append(f"## {heading}\n")
        parts += [_section(rule) for rule in rules]
    return "\n".join(parts)


def _section(rule: EntryRule | LineRule) -> str:
    return (
        f"### `{rule.code}`: {rule.title}\n\n"
        f"{_paragraph(rule.explanation)}\n\n"
        f"Reported:\n\n{_indented(rule.example)}\n\n"
        f"Better:\n\n{_indented(rule.better)}\n"
    )


def _paragraph(text: str) -> str:
    return re.sub(r"\s*\n\s*", "\n", text)


def _indented(text: str) -> str:
    lines = text.rstrip("\n").split("\n")
    return "\n".join(f"    {_shown(line)}".rstrip() for line in lines)


def _shown(line: str) -> str:
    line = line.replace("\r", "^M")
    return line if len(line) <= _LONG else f"{line[:_LONG]} …"
