"""What cron would run for an entry of the installed crontab."""

import os
import pwd

from pitasker_core import tasks
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import NotFound
from pitasker_core.base.text import Code, Text
from pitasker_core.crontab.execution import Execution, describe_execution
from pitasker_core.sync import service


def explain_line(environment: Environment, line: int) -> Execution:
    """What cron runs for the entry in a line; 1 is the first.

    Raises NotFound, CrontabUnavailable.
    """
    _, document = service.read_crontab(environment)
    user = pwd.getpwuid(os.getuid())
    return describe_execution(document, line - 1, user.pw_name, user.pw_dir)


def explain_task(environment: Environment, number: int) -> Execution:
    """What cron runs for a task. Raises NotFound for one without an entry in the crontab."""
    task = tasks.get(environment, number)
    _, document = service.read_crontab(environment)
    lines = document.by_tag.get(task.tag, []) if task.tag else []
    if not lines:
        raise NotFound(
            f"Task {number} has no entry in the crontab, so cron runs nothing for it.",
            Text(Code(f"./pitasker export {number}"), " gives it one."),
        )
    user = pwd.getpwuid(os.getuid())
    return describe_execution(document, lines[0], user.pw_name, user.pw_dir)
