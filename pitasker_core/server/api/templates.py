"""Templates over HTTP."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response

from pitasker_core.server.answers import files as answers
from pitasker_core.server.api import file_requests
from pitasker_core.server.api.context import ACTOR, Asked, Exact, respond
from pitasker_core.templates import own, using
from pitasker_core.templates.template_file import write_template

router = APIRouter(prefix="/templates")

Name = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{0,39}$")]


@router.get("", response_model=answers.Templates)
def list_templates(environment: Asked) -> Exact:
    """All templates, with their parameters."""
    listed = own.list_templates(environment)
    return respond({"templates": [answers.template_answer(each) for each in listed]})


@router.post("", status_code=201, response_model=answers.Template)
def import_template(environment: Asked, sent: file_requests.TemplateFile) -> Exact:
    """Keep the template of a file. Nothing in it is run."""
    data = sent.content.encode()
    template = own.import_template(environment, ACTOR, data, replace=sent.replace)
    return respond(answers.template_answer(own.Listed(template, is_own=True)), 201)


@router.post(
    "/from-task",
    status_code=201,
    response_model=answers.Template,
)
def save_task(environment: Asked, sent: file_requests.TemplateOfTask) -> Exact:
    """Keep a task as a template."""
    template = using.save_as_template(
        environment,
        ACTOR,
        sent.task,
        sent.name,
        sent.title,
        sent.parameters,
        replace_own=sent.replace,
    )
    return respond(answers.template_answer(own.Listed(template, is_own=True)), 201)


@router.get("/{name}", response_model=answers.Template)
def get_template(environment: Asked, name: Name) -> Exact:
    """One template."""
    return respond(answers.template_answer(own.get_template(environment, name)))


@router.delete("/{name}", status_code=204)
def remove_template(environment: Asked, name: Name) -> None:
    """Remove an own template."""
    own.remove_template(environment, ACTOR, name)


_FILES = {"yaml": "application/yaml", "json": "application/json"}
_FILE_CONTENT: dict[str, Any] = {kind: {} for kind in _FILES.values()}


@router.get(
    "/{name}/file",
    response_class=Response,
    responses={200: {"description": "The file.", "content": _FILE_CONTENT}},
)
def export_template(
    environment: Asked, name: Name, format: Literal["yaml", "json"] = "yaml"
) -> Response:
    """A template as a file, to share it."""
    template = own.get_template(environment, name).template
    text = write_template(template, as_json=format == "json")
    headers = {"content-disposition": f'attachment; filename="{name}.{format}"'}
    return Response(text.encode(), media_type=_FILES[format], headers=headers)


@router.post("/{name}/render", response_model=answers.Rendered)
def render(environment: Asked, name: Name, sent: file_requests.TemplateValues) -> Exact:
    """The task that a template would make."""
    rendered = using.render_template(environment, name, sent.values, sent.task_name)
    return respond(answers.Rendered.of(rendered))


@router.post("/{name}/use", status_code=201, response_model=answers.Used)
def use(environment: Asked, name: Name, sent: file_requests.TemplateUse) -> Exact:
    """Make a task of a template and, if it is system-managed, its entry."""
    preview = using.render_template(environment, name, sent.values, sent.task_name)
    done = using.use_template(
        environment,
        ACTOR,
        name,
        sent.values,
        sent.task_name,
        system_managed=sent.is_system_managed,
        paused=sent.paused,
    )
    return respond(answers.Used.of_use(done, preview.missing), 201)
