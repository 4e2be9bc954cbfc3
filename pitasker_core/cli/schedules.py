from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.cli.answer import Answer
from pitasker_core.cli.command import Commands, Words, command
from pitasker_core.crontab.understanding import Understanding
from pitasker_core.reports.schedules import understand_here
from pitasker_core.server.answers.schedules import ScheduleText


def add_to(commands: Commands) -> None:
    schedule = command(commands, "schedule", _schedule)
    schedule.add_argument("text", help='for instance "every weekday at 7:30"')


def _schedule(environment: Environment, words: Words) -> Answer:
    answer = understand_here(environment, words.text)
    if not answer.schedule and not answer.suggestions and not answer.usual_way:
        raise InvalidSyntax(f"{answer.reason[:1].upper()}{answer.reason[1:].rstrip('.')}.")
    has_better = answer.is_schedule and bool(answer.suggestions)
    is_clear = answer.schedule is not None and not answer.reason and not has_better
    return Answer(ScheduleText.of(answer), _described(answer), is_clear)


def _described(answer: Understanding) -> str:
    lines = [f"{answer.schedule}  {answer.description}"] if answer.schedule else []
    if answer.reason:
        lines.append(answer.reason)
    for suggestion in answer.suggestions:
        if suggestion.schedule != answer.schedule or answer.reason:
            meaning = f" ({suggestion.meaning})" if suggestion.meaning else ""
            lines.append(f"  {suggestion.schedule}  {suggestion.description}{meaning}")
    if answer.usual_way:
        lines.append(answer.usual_way)
    lines += [f"Note: {note}" for note in answer.notes]
    lines += [f"Warning: {warning}" for warning in answer.warnings]
    if answer.runs:
        lines.append(f"Next runs ({answer.runs[0].tzinfo}):")
        lines += [f"  {run:%a %d %b %Y %H:%M %Z}" for run in answer.runs]
    return "\n".join(lines)
