"""The tasks and where they stand, computed once for everybody who looks at them.

`current` is for display: it may be one second old, but it is never older than a change that this
process made. Before a write, use `listing`, which reads both sides each time.

`version` changes whenever the crontab or anything in the database has changed. PostgreSQL's
snapshot shows that: two equal snapshots mean that no transaction which could write has begun or
ended between them. It needs no trigger and no lock, it holds for changes by psql as well, and it
costs one short query. A change in another database of the same server costs one computation.
"""

import itertools
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from sqlalchemy import text

from pitasker_core import database
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.base.shared import Shared
from pitasker_core.crontab.document import parse
from pitasker_core.sync import service
from pitasker_core.sync.install import digest
from pitasker_core.tasks.task_list import Listing, read_listing

DISPLAY_SECONDS = 1.0
"""How old a listing for display may be."""

_LIFETIME = 30.0
"""Seconds after which a listing is computed again: it also depends on which recorders exist."""

_PROCESS = secrets.token_hex(4)
"""Keeps the versions of two processes apart."""


_SNAPSHOT = text("select pg_current_snapshot()::text")


@dataclass(frozen=True)
class _Moment:
    """The crontab and the state of the database at a time, not compared yet."""

    crontab: str | None
    problem: PiTaskerError | None
    snapshot: str

    @cached_property
    def version(self) -> str:
        problem = self.problem.message if self.problem else ""
        return digest(f"{self.snapshot}\n{problem}\n{digest(self.crontab)}")


class _View:
    """The shared listing of one environment."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._moment = Shared(self._read)
        self._lock = threading.Lock()
        self._listing: Listing | None = None
        self._built_from = ""
        self._built_at = 0.0
        self._numbers = itertools.count(1)

    def version(self, max_age: float) -> str:
        return self._moment.get(max_age).version

    def listing(self, max_age: float) -> Listing:
        moment = self._moment.get(max_age)
        with self._lock:
            if self._listing is None or not self._is_fresh(moment):
                self._build(moment)
            assert self._listing is not None  # noqa: S101 - built above
            return self._listing

    def peek(self, max_age: float) -> Listing | None:
        moment = self._moment.peek(max_age)
        return self._listing if moment and self._is_fresh(moment) else None

    def _is_fresh(self, moment: _Moment) -> bool:
        is_young = time.monotonic() < self._built_at + _LIFETIME
        return is_young and self._built_from == moment.version

    def _read(self) -> _Moment:
        crontab, problem = None, None
        try:
            crontab = service.program(self._environment).read()
        except PiTaskerError as error:
            problem = error
        ((snapshot,),) = database.fetch(self._environment, _SNAPSHOT)
        return _Moment(crontab, problem, snapshot)

    def _build(self, moment: _Moment) -> None:
        built_at = time.monotonic()
        document = parse("")
        if not moment.problem:
            dialect = service.program(self._environment).dialect
            document = parse(moment.crontab or "", dialect)
        new = read_listing(self._environment, moment.crontab, document, moment.problem)
        version = self._listing.version if self._listing else ""
        if self._listing is None or replace(new, version=version) != self._listing:
            self._listing = replace(new, version=f"{_PROCESS}-{next(self._numbers)}")
        self._built_from, self._built_at = moment.version, built_at


def current(environment: Environment, max_age: float | None = None) -> Listing:
    """Return all tasks of this crontab and where they stand, for display.

    It was read at most `max_age` (by default `DISPLAY_SECONDS`) seconds ago. The same object
    comes back until something in it changes; its `version` names it. Raises DatabaseError.
    """
    return _view(environment).listing(DISPLAY_SECONDS if max_age is None else max_age)


def peek(environment: Environment) -> Listing | None:
    """Return what `current` returns if that needs no work; else None."""
    return _view(environment).peek(DISPLAY_SECONDS)


def version(environment: Environment) -> str:
    """Return a text that differs when the crontab or anything in the database has changed.

    It is at most `DISPLAY_SECONDS` old: of all pages that ask within a second one reads the
    crontab. Raises DatabaseError.
    """
    return _view(environment).version(DISPLAY_SECONDS)


def _view(environment: Environment) -> _View:
    # Reading is the same for all roles: readers and writers share one view.
    return _view_of(replace(environment, read_only=True))


_view_of: Callable[[Environment], _View] = lru_cache(maxsize=8)(_View)
