from pitasker_core import tasks
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import NotFound
from pitasker_core.base.identity import account
from pitasker_core.base.text import Code, Text
from pitasker_core.crontab.document import Document
from pitasker_core.crontab.execution import Execution, describe_execution
from pitasker_core.sync import service


def explain_line(environment: Environment, line: int) -> Execution:
    """Explain the entry in a line, counted from 1. Raises NotFound, CrontabUnavailable."""
    _, document = service.read_crontab(environment)
    return _explain(document, line - 1)


def explain_task(environment: Environment, number: int) -> Execution:
    """Explain the entry of a task. Raises NotFound if the task has no entry."""
    task = tasks.get(environment, number)
    _, document = service.read_crontab(environment)
    lines = document.by_tag.get(task.tag, []) if task.tag else []
    if not lines:
        raise NotFound(
            f"Task {number} has no entry in the crontab, so cron runs nothing for it.",
            Text(Code(f"./pitasker export {number}"), " writes an entry for it."),
        )
    return _explain(document, lines[0])


def _explain(document: Document, index: int) -> Execution:
    user = account()
    return describe_execution(document, index, user.pw_name, user.pw_dir)
