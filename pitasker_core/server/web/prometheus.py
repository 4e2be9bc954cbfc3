"""GET /metrics, in the format that Prometheus reads."""

from collections.abc import Iterator

import anyio.to_thread
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pitasker_core.base import timings
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.reports import metrics
from pitasker_core.reports.metrics import Metrics
from pitasker_core.reports.status import Health
from pitasker_core.runs import last_results
from pitasker_core.runs.last_results import Last
from pitasker_core.server import json

_HEALTH = {Health.GREEN: 0, Health.YELLOW: 1, Health.RED: 2}


def routes() -> list[Route]:
    """The route of the metrics; behind the gate, like the API."""
    return [Route("/metrics", _metrics, methods=["GET"])]


async def _metrics(request: Request) -> Response:
    environment = Environment.from_environment()
    try:
        text = await anyio.to_thread.run_sync(_text, environment)
    except PiTaskerError as problem:
        return JSONResponse(json.error(problem), 503)
    return Response(text, media_type=CONTENT_TYPE_LATEST)


def _text(environment: Environment) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Found(metrics.metrics(environment), last_results.last(environment)))
    return generate_latest(registry)


class _Found(Collector):
    """What was found at this scrape."""

    def __init__(self, found: Metrics, runs: list[Last]) -> None:
        self._found = found
        self._runs = runs

    def collect(self) -> Iterator[Metric]:
        """Each metric, with its meaning."""
        status = self._found.status
        yield _gauge("tasks", "Tasks that are not deleted", status.tasks)
        yield _gauge("tasks_unsynced", "Tasks that are not in step", status.unsynced)
        yield _gauge("crontab_entries", "Entries in the crontab", status.entries)
        yield _gauge("crontab_unmanaged", "Entries that no task manages", status.unmanaged)
        yield _gauge("crontab_invalid_lines", "Lines that cron refuses", status.invalid_lines)
        yield _gauge("health", "0 in order, 1 needs a look, 2 not in order", _HEALTH[status.health])
        if status.last_sync:
            at = status.last_sync.timestamp()
            yield _gauge("last_sync_timestamp_seconds", "When a sync last went well", at)
        operations = GaugeMetricFamily(
            "pitasker_operations", "Recorded operations by outcome", labels=["outcome"]
        )
        operations.add_metric(["successful"], self._found.successful)
        operations.add_metric(["failed"], self._found.failed)
        yield operations
        yield from self._of_tasks()
        yield from self._of_endpoints()
        for what, total in sorted(timings.totals.items()):
            name = f"pitasker_{what.replace(' ', '_')}_seconds"
            yield SummaryMetricFamily(
                name, f"Time taken by each {what}", total.count, total.seconds
            )

    def _of_endpoints(self) -> Iterator[Metric]:
        found = SummaryMetricFamily(
            "pitasker_endpoint_seconds", "Time taken by each route of the API", labels=["endpoint"]
        )
        for route, total in sorted(timings.endpoints.items()):
            found.add_metric([route], total.count, total.seconds)
        yield found

    def _of_tasks(self) -> Iterator[Metric]:
        for name, meaning, value in (
            ("last_run_timestamp_seconds", "When a task last started", _started),
            ("last_run_success", "1 if its last run that ended went well, or 0", _succeeded),
            ("last_run_duration_seconds", "How long that run took", _seconds),
        ):
            found = GaugeMetricFamily(f"pitasker_task_{name}", meaning, labels=["task", "name"])
            for one in self._runs:
                if (number := value(one)) is not None:
                    found.add_metric([str(one.task), one.name], number)
            yield found


def _started(one: Last) -> float | None:
    return one.started_at.timestamp() if one.started_at else None


def _succeeded(one: Last) -> float | None:
    return None if one.succeeded is None else float(one.succeeded)


def _seconds(one: Last) -> float | None:
    return one.seconds


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"pitasker_{name}", meaning, value)
