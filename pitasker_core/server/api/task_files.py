"""Files of tasks over HTTP: export for other programs and machines, and import with a preview."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from pitasker_core.formats.icalendar_file import MOST_WEEKS, WEEKS
from pitasker_core.formats.record import TaskFile
from pitasker_core.formats.registry import FILE_KINDS, Source, Target
from pitasker_core.server.answers import files as answers
from pitasker_core.server.api import file_requests
from pitasker_core.server.api.context import ACTOR, Asked, Exact, respond
from pitasker_core.server.api.requests import LARGEST_ID
from pitasker_core.tasks.file_export import ExportedFile, export_file
from pitasker_core.tasks.file_import import import_file, preview_file, read_files

router = APIRouter(prefix="/task-files")

MOST_IDS = 100
"""Ids that fit into an address."""
TaskIds = Annotated[
    list[Annotated[int, Query(ge=1, le=LARGEST_ID)]] | None, Query(max_length=MOST_IDS)
]
Weeks = Annotated[int, Query(ge=1, le=MOST_WEEKS)]


@router.get(
    "/export",
    response_class=Response,
    responses={
        200: {
            "description": "The file. /task-files/export/notes has what it leaves out.",
            "content": {kind.media_type.split(";")[0]: {} for kind in FILE_KINDS.values()},
        }
    },
)
def export(
    environment: Asked,
    format: file_requests.TargetName = "json",
    task: TaskIds = None,
    weeks: Weeks = WEEKS,
) -> Response:
    """Tasks as a file; all of them when no `task` is named. `weeks` is for the calendar."""
    exported = _exported(environment, format, task, weeks)
    headers = {"content-disposition": f'attachment; filename="{exported.name}"'}
    return Response(exported.data, media_type=exported.media_type, headers=headers)


@router.get("/export/notes", response_model=answers.Remarks)
def export_notes(
    environment: Asked,
    format: file_requests.TargetName = "json",
    task: TaskIds = None,
    weeks: Weeks = WEEKS,
) -> Exact:
    """What such a file does not carry over."""
    exported = _exported(environment, format, task, weeks)
    return respond(answers.Remarks(answers.remarks(exported.notes)))


@router.post("/import/preview", response_model=answers.FilePreview)
def preview_import(environment: Asked, sent: file_requests.TaskFile) -> Exact:
    """What an import of a file would do with each of its tasks."""
    file = _file(environment, sent)
    preview = preview_file(environment, file, with_duplicates=sent.duplicates)
    return respond(answers.FilePreview.of(preview))


@router.post("/import", response_model=answers.FileImport)
def import_tasks(environment: Asked, sent: file_requests.TaskFile) -> Exact:
    """Make the tasks of a file. One that is wrong fails alone, with its line and its reason."""
    done = import_file(
        environment,
        ACTOR,
        _file(environment, sent),
        with_duplicates=sent.duplicates,
        system_managed=sent.is_system_managed,
    )
    return respond(answers.FileImport.of(done))


def _exported(environment: Asked, target: str, tasks: list[int] | None, weeks: int) -> ExportedFile:
    return export_file(environment, Target(target), tasks, weeks)


def _file(environment: Asked, sent: file_requests.TaskFile) -> TaskFile:
    return read_files(environment, [("", sent.content.encode())], Source(sent.format))
