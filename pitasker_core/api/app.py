"""The FastAPI application that is mounted under /api, and how errors are told."""

from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from pitasker_core import errors, shapes
from pitasker_core.api import crontab, runs, tasks
from pitasker_core.api.models import Error
from pitasker_core.errors import PiTaskerError

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
    errors.PreconditionFailed: 412,
    errors.PreconditionRequired: 428,
    errors.InvalidSyntax: 422,
    errors.ParseError: 422,
    errors.CrontabUnavailable: 503,
    errors.DatabaseError: 503,
    errors.ExecutionError: 503,
}
"""The status of each error. What a person must decide first is a 409 too."""

_TOLD = {status: {"model": Error} for status in (400, 401, 403, 404, 409, 412, 422, 428, 503)}


def make() -> FastAPI:
    """The application."""
    # Its documentation's scripts come from this machine, not from a network of somebody else's.
    app = FastAPIOffline(
        title="PiTasker",
        description="The front end to your crontab, for scripts. Make a token with "
        "`./pitasker token new NAME` and send it as `Authorization: Bearer TOKEN`.",
        redoc_url=None,
        responses=_TOLD,
    )
    app.include_router(crontab.router, tags=["crontab"])
    app.include_router(tasks.router, tags=["tasks"])
    app.include_router(runs.router, tags=["runs"])
    app.add_exception_handler(PiTaskerError, _ours)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(HTTPException, _http)
    return app


async def _ours(request: Request, problem: Exception) -> JSONResponse:
    assert isinstance(problem, PiTaskerError)  # noqa: S101 - registered for these alone
    status = next(STATUS[kind] for kind in type(problem).__mro__ if kind in STATUS)
    return JSONResponse(shapes.error(problem), status)


async def _not_understood(request: Request, problem: Exception) -> JSONResponse:
    assert isinstance(problem, RequestValidationError)  # noqa: S101 - registered for these alone
    parts = []
    for error in problem.errors()[:5]:
        where = ".".join(str(part) for part in error["loc"] if part not in ("body", "query"))
        parts.append(f"{where}: {error['msg']}" if where else error["msg"])
    told = errors.InvalidRequest(f"This request is not understood: {'; '.join(parts)}.")
    return JSONResponse(shapes.error(told), 422)


async def _http(request: Request, problem: Exception) -> JSONResponse:
    assert isinstance(problem, HTTPException)  # noqa: S101 - registered for these alone
    told = errors.InvalidRequest(f"{problem.detail}.", "`/api/docs` has what there is.")
    headers = {**(problem.headers or {})}
    if problem.status_code == 405:
        headers["Allow"] = ", ".join(_allowed(request))
    return JSONResponse(shapes.error(told), problem.status_code, headers)


def _allowed(request: Request) -> list[str]:
    """The methods of every route with the request's path; Starlette names those of the first."""
    methods: set[str] = set()
    for route in request.app.router.routes:
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
            methods |= route.methods or set()
    return sorted(methods)
