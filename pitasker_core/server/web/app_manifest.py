"""What makes the dashboard installable as an app: its manifest and its icons.

Both need no sign-in, and contain nothing about this machine.
"""

import json
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from pitasker_core.server.web.gate import ICONS, MANIFEST

_FOLDER = Path(__file__).with_name("icons")

_DAY = {"cache-control": "public, max-age=86400"}

_COLOR = "#0f766e"
"""The primary colour of the light theme."""


def routes() -> list[Route]:
    """The routes of the manifest and of each icon."""
    icons = [Route(path, _send_icon, methods=["GET"]) for path in ICONS]
    return [Route(MANIFEST, _send_manifest, methods=["GET"]), *icons]


def manifest() -> dict[str, object]:
    """The manifest (W3C, Web Application Manifest)."""
    return {
        "id": "/",
        "name": "PiTasker",
        "short_name": "PiTasker",
        "description": "See and change the jobs in your crontab.",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "theme_color": _COLOR,
        "background_color": "#fbfbfa",
        "icons": [
            {
                "src": path,
                "sizes": "192x192" if "192" in path else "512x512",
                "type": "image/png",
                "purpose": "maskable" if "maskable" in path else "any",
            }
            for path in ICONS[:-1]
        ],
        "shortcuts": [
            {"name": "Tasks", "url": "/tasks"},
            {"name": "Runs", "url": "/runs"},
        ],
    }


def _send_manifest(request: Request) -> Response:
    return Response(json.dumps(manifest()), media_type="application/manifest+json", headers=_DAY)


def _send_icon(request: Request) -> Response:
    return FileResponse(_FOLDER / Path(request.url.path).name, headers=_DAY)
