"""Complete the report of an action before Streamlit runs the page again.

Each use of `st.session_state` in a callback can raise Streamlit's request for another run. Between
an action and its report, this would lose the report and its undo. A request to stop is not delayed:
the page is closed then.
"""

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import ParamSpec, TypeVar

from streamlit.runtime.scriptrunner_utils.exceptions import RerunException

P = ParamSpec("P")
T = TypeVar("T")

_requests: ContextVar[list[RerunException] | None] = ContextVar("requests", default=None)


def complete(report: Callable[P, None]) -> Callable[P, None]:
    """Decorate a report so that it completes. A request for another run is raised after it."""

    @wraps(report)
    def finish(*args: P.args, **kwargs: P.kwargs) -> None:
        if _requests.get() is not None:
            report(*args, **kwargs)
            return
        requests: list[RerunException] = []
        token = _requests.set(requests)
        try:
            report(*args, **kwargs)
        finally:
            _requests.reset(token)
        if requests:
            raise requests[0]

    return finish


def change(access: Callable[[], T]) -> T:
    """Read or change the session's state. A `complete` report is not interrupted."""
    try:
        return access()
    except RerunException as request:
        requests = _requests.get()
        if requests is None:
            raise
        requests.append(request)
        return change(access)  # Streamlit raises each request only once
