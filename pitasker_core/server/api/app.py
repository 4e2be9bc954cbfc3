"""The FastAPI application that is mounted under /api, and its answers to errors."""

import logging
import time
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from pydantic.dataclasses import dataclass as pydantic_dataclass
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from pitasker_core.base import errors, timings
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.base.text import marked
from pitasker_core.server.answers.problems import Error, error_shape
from pitasker_core.server.api import (
    crontab,
    crontabs,
    doctor,
    runs,
    schedules,
    task_files,
    tasks,
    templates,
)
from pitasker_core.server.api.context import Exact

STATUS: Mapping[type[PiTaskerError], int] = {
    errors.NotSignedIn: 401,
    errors.PermissionDenied: 403,
    errors.ReadOnly: 403,
    errors.NotFound: 404,
    errors.Stale: 409,
    errors.ConcurrentModification: 409,
    errors.SyncInProgress: 409,
    errors.MassRemoval: 409,
    errors.CrontabReverted: 409,
    errors.UnknownCrontab: 409,
    errors.PreconditionFailed: 412,
    errors.PreconditionRequired: 428,
    errors.InvalidSyntax: 422,
    errors.ParseError: 422,
    errors.CrontabUnavailable: 503,
    errors.DatabaseError: 503,
    errors.ExecutionError: 503,
}
"""The HTTP status of each error. Where a person must decide first, it is 409."""

_STATUSES = (400, 401, 403, 404, 409, 412, 413, 422, 428, 500, 503)
# All routes document these answers: as a model of Pydantic, Error is examined once, not 600 times.
_ERROR_MODEL = pydantic_dataclass(Error, frozen=True)
_ERROR_RESPONSES = {status: {"model": _ERROR_MODEL} for status in _STATUSES}

_log = logging.getLogger(__name__)


def make() -> FastAPI:
    """The application."""
    # The scripts of the documentation come from this machine, not from another network.
    app = FastAPIOffline(
        title="PiTasker",
        description="The front end to your crontab, for scripts. Make a token with "
        "`./pitasker token new NAME` and send it as `Authorization: Bearer TOKEN`.",
        redoc_url=None,
        responses=_ERROR_RESPONSES,
        default_response_class=Exact,
    )
    app.include_router(crontab.router, tags=["crontab"])
    app.include_router(crontabs.router, tags=["crontabs"])
    app.include_router(tasks.router, tags=["tasks"])
    app.include_router(task_files.router, tags=["files of tasks"])
    app.include_router(templates.router, tags=["templates"])
    app.include_router(runs.router, tags=["runs"])
    app.include_router(doctor.router, tags=["doctor"])
    app.include_router(schedules.router, tags=["schedules"])
    app.add_exception_handler(PiTaskerError, _ours)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)
    app.add_middleware(Measured)
    return app


class Measured:
    """Measure how long each route takes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        start = time.perf_counter()
        await self._app(scope, receive, send)
        if route := scope.get("route"):  # set by the router
            seconds = time.perf_counter() - start
            timings.add(f"{scope['method']} {route.path}", seconds, timings.endpoints)


_PLACES = ("body", "query", "path", "header")
"""Where FastAPI read a value: not a name that a person gave."""


async def _ours(request: Request, problem: Exception) -> Exact:
    assert isinstance(problem, PiTaskerError)  # noqa: S101 - registered for these alone
    status = next(STATUS[kind] for kind in type(problem).__mro__ if kind in STATUS)
    return Exact(error_shape(problem), status)


async def _unexpected(request: Request, problem: Exception) -> Exact:
    _log.error("%s %s failed", request.method, request.url.path, exc_info=problem)
    return Exact(error_shape(errors.Unexpected()), 500)


async def _not_understood(request: Request, problem: Exception) -> Exact:
    assert isinstance(problem, RequestValidationError)  # noqa: S101 - registered for these alone
    parts = []
    for error in problem.errors()[:5]:
        if error["loc"][0] == "path" and error["type"] == "less_than_equal":
            missing = errors.NotFound(f"There is no {error['loc'][1]} {error['input']}.")
            return Exact(error_shape(missing), STATUS[errors.NotFound])
        if error["type"] == "json_invalid":
            parts.append(f"the body is no JSON ({error['ctx']['error']})")
            continue
        if error["loc"] == ("body",) and error["type"] == "model_attributes_type":
            parts.append("the body must be a JSON object, sent as application/json")
            continue
        where = ".".join(str(part) for part in error["loc"] if part not in _PLACES)
        parts.append(f"{where}: {error['msg']}" if where else error["msg"])
    error = errors.InvalidRequest(f"This request is not understood: {'; '.join(parts)}.")
    return Exact(error_shape(error), 422)


async def _http(request: Request, problem: Exception) -> Exact:
    assert isinstance(problem, HTTPException)  # noqa: S101 - registered for these alone
    error = errors.InvalidRequest(f"{problem.detail}.", marked("`/api/docs` has what there is."))
    headers = {**(problem.headers or {})}
    if problem.status_code == 405:
        headers["Allow"] = ", ".join(_allowed(request))
    return Exact(error_shape(error), problem.status_code, headers)


def _allowed(request: Request) -> list[str]:
    """The methods of every route with the request's path; Starlette names those of the first."""
    methods: set[str] = set()
    for route in request.app.router.routes:
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
            methods |= route.methods or set()
    return sorted(methods)
