"""GET /metrics, in Prometheus' text format."""

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
from pitasker_core.reports.status import Health, Metrics, current_metrics
from pitasker_core.runs import last_results
from pitasker_core.runs.last_results import Last
from pitasker_core.server.answers.problems import error_shape

_HEALTH = {Health.GREEN: 0, Health.YELLOW: 1, Health.RED: 2}


def routes() -> list[Route]:
    """The route of the metrics. It is behind the gate, like the API."""
    return [Route("/metrics", _metrics, methods=["GET"])]


async def _metrics(request: Request) -> Response:
    environment = Environment.from_environment()
    try:
        text = await anyio.to_thread.run_sync(_text, environment)
    except PiTaskerError as problem:
        return JSONResponse(error_shape(problem), 503)
    return Response(text, media_type=CONTENT_TYPE_LATEST)


def _text(environment: Environment) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Scrape(current_metrics(environment), last_results.last(environment)))
    return generate_latest(registry)


class _Scrape(Collector):
    """The values of one scrape."""

    def __init__(self, values: Metrics, runs: list[Last]) -> None:
        self._values = values
        self._runs = runs

    def collect(self) -> Iterator[Metric]:
        """Each metric with its meaning."""
        status = self._values.status
        yield _gauge("tasks", "Tasks that are not deleted", status.tasks)
        yield _gauge("tasks_unsynced", "Tasks that are out of sync", status.unsynced)
        yield _gauge("crontab_entries", "Entries in the crontab", status.entries)
        yield _gauge("crontab_unmanaged", "Entries that no task manages", status.unmanaged)
        yield _gauge("crontab_invalid_lines", "Lines that cron refuses", status.invalid_lines)
        meaning = "0 healthy, 1 needs attention, 2 problem"
        yield _gauge("health", meaning, _HEALTH[status.health])
        if status.last_sync:
            at = status.last_sync.timestamp()
            yield _gauge("last_sync_timestamp_seconds", "Time of the last successful sync", at)
        operations = GaugeMetricFamily(
            "pitasker_operations", "Recorded operations by outcome", labels=["outcome"]
        )
        operations.add_metric(["successful"], self._values.successful)
        operations.add_metric(["failed"], self._values.failed)
        yield operations
        yield from self._of_tasks()
        yield from self._of_endpoints()
        for what, total in sorted(timings.totals.items()):
            name = f"pitasker_{what.replace(' ', '_')}_seconds"
            yield SummaryMetricFamily(
                name, f"Time taken by each {what}", total.count, total.seconds
            )

    def _of_endpoints(self) -> Iterator[Metric]:
        family = SummaryMetricFamily(
            "pitasker_endpoint_seconds", "Time taken by each route of the API", labels=["endpoint"]
        )
        for route, total in sorted(timings.endpoints.items()):
            family.add_metric([route], total.count, total.seconds)
        yield family

    def _of_tasks(self) -> Iterator[Metric]:
        for name, meaning, value in (
            ("last_run_timestamp_seconds", "Start of the last run", _started),
            ("last_run_success", "1 if the last finished run was a success, else 0", _succeeded),
            ("last_run_duration_seconds", "Duration of that run", _seconds),
        ):
            family = GaugeMetricFamily(f"pitasker_task_{name}", meaning, labels=["task", "name"])
            for run in self._runs:
                if (number := value(run)) is not None:
                    family.add_metric([str(run.task), run.name], number)
            yield family


def _started(run: Last) -> float | None:
    return run.started_at.timestamp() if run.started_at else None


def _succeeded(run: Last) -> float | None:
    return None if run.succeeded is None else float(run.succeeded)


def _seconds(run: Last) -> float | None:
    return run.seconds


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"pitasker_{name}", meaning, value)
