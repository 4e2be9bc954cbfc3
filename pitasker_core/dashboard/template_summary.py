"""What a template's task does besides its command, in sentences; and the search. Pure."""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta

from pitasker_core.base.text import Code, Text
from pitasker_core.dashboard.times import lasted
from pitasker_core.formats.record import TaskRecord
from pitasker_core.templates.model import Guard, Template
from pitasker_core.templates.own import Listed
from pitasker_core.templates.rendering import PLACEHOLDER

_GUARDS = {
    Guard.MOUNTED: "Runs only if something is mounted at",
    Guard.ONLINE: "Runs only if the name of this host can be looked up:",
    Guard.LOCK: "Runs only if nothing else holds a lock on",
}


def matching(templates: Iterable[Listed], words: str, category: str | None) -> list[Listed]:
    """Return the templates of a category whose texts contain all words."""
    terms = words.casefold().split()
    return [
        listed
        for listed in templates
        if category in (None, listed.template.category)
        and all(term in _searched(listed.template) for term in terms)
    ]


def _searched(template: Template) -> str:
    texts = (
        *(template.name, template.title, template.summary, template.category, template.command),
        *template.labels,
        *template.needs,
    )
    return " ".join(texts).casefold()


def guard_sentences(template: Template, values: Mapping[str, str]) -> list[str]:
    """Return a sentence for each check before the command. `values` are those of the form."""
    return [
        Text(
            f"{_GUARDS[guard]} ",
            Code(PLACEHOLDER.sub(lambda match: values[match[1]], operand)),
            ".",
        )
        for guard, operand in template.guards
    ]


def run_sentences(record: TaskRecord) -> list[str]:
    """Return sentences about recording, limits and notifications."""
    sentences = [
        "Records the result, the output and the duration of each run."
        if record.record_runs
        else "Does not record its runs."
    ]
    if record.record_runs and record.timeout_seconds:
        limit = re.sub(r" 0 (?:s|min)$", "", lasted(timedelta(seconds=record.timeout_seconds)))
        sentences.append(f"Ends a run after {limit}.")
    if record.record_runs and record.no_overlap:
        sentences.append("Does not start while the last run goes on.")
    if record.catch_up:
        sentences.append("Catches up after the machine was off.")
    sentences.append(_notifications(record.notify))
    return sentences


def _notifications(notify: tuple[str, ...] | None) -> str:
    if notify is None:
        return "Sends the default notifications."
    return f"Notifies when it has {', '.join(notify)}." if notify else "Sends no notifications."
