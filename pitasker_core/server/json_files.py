"""The JSON of files of tasks and of templates, keys in camelCase."""

from collections.abc import Iterable

from pitasker_core.formats.fields import write_record
from pitasker_core.formats.record import Remark
from pitasker_core.server.answers.problems import error_shape
from pitasker_core.server.answers.tasks import Applied as AppliedAnswer
from pitasker_core.server.answers.tasks import task_answer
from pitasker_core.server.answers.wire import Shape, as_json
from pitasker_core.tasks import Applied
from pitasker_core.tasks.file_import import Candidate, FileImport, FilePreview
from pitasker_core.templates.model import Parameter
from pitasker_core.templates.own import Listed
from pitasker_core.templates.template_file import template_data
from pitasker_core.templates.using import Rendered


def remarks(given: Iterable[Remark]) -> list[Shape]:
    """Remarks on a file: the line and the task, where they are known, and what is said."""
    return [
        {"line": remark.line, "name": remark.name, "message": remark.message} for remark in given
    ]


def file_preview(preview: FilePreview) -> Shape:
    """What an import of a file would do."""
    return {
        "tasks": [_candidate(candidate) for candidate in preview.candidates],
        "errors": remarks(preview.problems),
        "notes": remarks(preview.notes),
    }


def file_import(done: FileImport) -> Shape:
    """What an import of a file did."""
    return {
        "tasks": [as_json(task_answer(task)) for task in done.tasks],
        "skipped": remarks(done.skipped),
        "errors": remarks(done.errors),
        "notes": remarks(done.notes),
        "failures": [{"task": number, "message": why} for number, why in done.failures.items()],
        **error_shape(done.problem),
    }


def templates(listed: Iterable[Listed]) -> Shape:
    """All templates."""
    return {"templates": [template(item) for item in listed]}


def template(listed: Listed) -> Shape:
    """One template as its file has it, with its parameters as a list, and whose it is."""
    data = template_data(listed.template)
    parameters = [_parameter(parameter) for parameter in listed.template.parameters]
    return {**data, "parameters": parameters, "isOwn": listed.is_own}


def used(done: Applied, missing: Iterable[str]) -> Shape:
    """The task that a template made, and what this machine lacks for it."""
    return {**as_json(AppliedAnswer.of(done)), "missing": list(missing)}


def rendered(preview: Rendered) -> Shape:
    """The task that a template makes, and what this machine lacks for it."""
    return {"task": write_record(preview.record), "missing": list(preview.missing)}


def _candidate(candidate: Candidate) -> Shape:
    return {
        "line": candidate.record.line,
        "verdict": candidate.verdict.value,
        "reason": candidate.reason,
        "task": write_record(candidate.record),
    }


def _parameter(parameter: Parameter) -> Shape:
    return {
        "name": parameter.name,
        "kind": parameter.kind.value,
        "label": parameter.label,
        "default": parameter.default,
        "least": parameter.least,
        "most": parameter.most,
        "longest": parameter.longest,
        "form": parameter.form.value,
        "check": parameter.check.value,
        "options": list(parameter.options),
    }
