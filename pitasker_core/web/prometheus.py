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

from pitasker_core import measure, metrics, shapes, tasks
from pitasker_core.errors import PiTaskerError
from pitasker_core.metrics import Metrics
from pitasker_core.settings import Settings
from pitasker_core.status import Health
from pitasker_core.tasks import Listing

_HEALTH = {Health.GREEN: 0, Health.YELLOW: 1, Health.RED: 2}


def routes() -> list[Route]:
    """The route of the metrics; behind the gate, like the API."""
    return [Route("/metrics", _metrics, methods=["GET"])]


async def _metrics(request: Request) -> Response:
    settings = Settings.from_environment()
    try:
        text = await anyio.to_thread.run_sync(_text, settings)
    except PiTaskerError as problem:
        return JSONResponse(shapes.error(problem), 503)
    return Response(text, media_type=CONTENT_TYPE_LATEST)


def _text(settings: Settings) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Found(metrics.metrics(settings), tasks.listing(settings)))
    return generate_latest(registry)


class _Found(Collector):
    """What was found at this scrape."""

    def __init__(self, found: Metrics, listing: Listing) -> None:
        self._found = found
        self._listing = listing

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
        runs = GaugeMetricFamily(
            "pitasker_task_last_run_timestamp_seconds",
            "When a task last ran",
            labels=["task", "name"],
        )
        for task in self._listing.tasks:
            if task.last_run:
                runs.add_metric([str(task.id), task.name], task.last_run.timestamp())
        yield runs
        for what, total in sorted(measure.totals.items()):
            name = f"pitasker_{what.replace(' ', '_')}_seconds"
            yield SummaryMetricFamily(
                name, f"Time taken by each {what}", total.count, total.seconds
            )


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"pitasker_{name}", meaning, value)
