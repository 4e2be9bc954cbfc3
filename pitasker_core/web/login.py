"""Signing in and out: the pages that are there before Streamlit is."""

import html
import logging
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from pitasker_core import auth
from pitasker_core.auth import Role
from pitasker_core.settings import Settings

FREE_ATTEMPTS = 5
"""Wrong passwords that cost no waiting."""

LONGEST_WAIT = 900.0
"""Seconds at most until the next attempt is looked at."""


class Throttle:
    """Make each wrong attempt after the first few wait twice as long as the one before.

    For all addresses together: behind a proxy they are one, and a botnet has many.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._wrong = 0
        self._until = 0.0

    def wait(self) -> float:
        """Seconds until an attempt is looked at; 0 when it is at once."""
        with self._lock:
            return max(0.0, self._until - self._now())

    def wrong(self) -> None:
        """An attempt was wrong."""
        with self._lock:
            self._wrong += 1
            if self._wrong >= FREE_ATTEMPTS:
                pause = min(LONGEST_WAIT, 2.0 ** (self._wrong - FREE_ATTEMPTS + 1))
                self._until = self._now() + pause

    def right(self) -> None:
        """Somebody who knows the password is here: begin anew."""
        with self._lock:
            self._wrong, self._until = 0, 0.0


throttle = Throttle()
_one_at_a_time = anyio.Lock()
"""Many attempts at once would all be looked at before the first was found wrong."""

_log = logging.getLogger(__name__)


def routes() -> list[Route]:
    """The routes of signing in and out, and of the health check."""
    return [
        Route("/login", _ask, methods=["GET"]),
        Route("/login", _sign_in, methods=["POST"]),
        Route("/logout", _sign_out, methods=["POST", "GET"]),
        Route("/healthz", _healthz, methods=["GET"]),
    ]


def _ask(request: Request) -> Response:
    settings = Settings.from_environment()
    token = request.query_params.get("token")
    if token:
        role = auth.use_link(settings, token)
        if role:
            _log.info("Somebody signed in with a link, from %s.", _where(request))
            return _welcome(request, settings, role)
        return _page(settings, "This link was used already, or is older than a day.", status=401)
    return _page(settings, "")


async def _sign_in(request: Request) -> Response:
    settings = Settings.from_environment()
    form = await request.form()
    password = form.get("password")
    if not isinstance(password, str) or len(password) > 1000:
        return _page(settings, "Type the password.", status=400)
    async with _one_at_a_time:
        if (wait := throttle.wait()) > 0:
            seconds = int(wait) + 1
            return _page(
                settings,
                f"Too many wrong passwords. Try again in {seconds} seconds.",
                status=429,
                headers={"retry-after": str(seconds)},
            )
        # Argon2 takes a twentieth of a second by design: not on the thread that serves everybody.
        role = await anyio.to_thread.run_sync(auth.check_password, settings, password)
        if role is None:
            throttle.wrong()
            _log.warning("A wrong password was tried, from %s.", _where(request))
            return _page(settings, "That is not the password.", status=401)
        throttle.right()
    _log.info("Somebody signed in with the password, from %s.", _where(request))
    return _welcome(request, settings, role)


def _sign_out(request: Request) -> Response:
    # By GET too, for a plain link: the worst that another site can do is to sign somebody out.
    auth.sign_out(Settings.from_environment(), request.cookies.get(auth.COOKIE))
    response = RedirectResponse("/login", 303)
    response.delete_cookie(auth.COOKIE)
    return response


def _healthz(request: Request) -> Response:
    return JSONResponse({"status": "ok"})


def _welcome(request: Request, settings: Settings, role: Role) -> Response:
    response = RedirectResponse(_next(request), 303)
    response.set_cookie(
        auth.COOKIE,
        auth.sign_in(settings, role),
        max_age=auth.SESSION_SECONDS,
        httponly=True,
        samesite="lax",
        secure=settings.is_https,
    )
    return response


def _where(request: Request) -> str:
    return request.client.host if request.client else "an unknown address"


def _next(request: Request) -> str:
    """The page that was asked for: a path of ours, never an address elsewhere."""
    path = urlsplit(request.query_params.get("next", "/")).path
    return quote("/" + path.lstrip("/\\"))


def _page(
    settings: Settings, problem: str, *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    has_password = auth.has_password(settings)
    said = f'<p class="problem" role="alert">{html.escape(problem)}</p>' if problem else ""
    form = _FORM if has_password else _LINK
    more: dict[str, Any] = {"cache-control": "no-store", **(headers or {})}
    return HTMLResponse(_HTML.replace("{said}", said).replace("{form}", form), status, more)


_FORM = """\
<form method="post">
  <label for="password">Password</label>
  <input id="password" name="password" type="password" autocomplete="current-password"
         required autofocus>
  <button>Sign in</button>
</form>
<p class="hint">Forgotten? On the machine itself: <code>./pitasker password</code> sets a new one,
<code>./pitasker link</code> prints a link that signs in once.</p>
"""

_LINK = """\
<p>Open the link that PiTasker printed when it was started. It signs in once.</p>
<p class="hint">A new link: <code>./pitasker link</code> on the machine itself. Or set a password:
<code>./pitasker password</code>.</p>
"""

_HTML = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>PiTasker: sign in</title>
<style>
  :root { color-scheme: light dark; --accent: #2e7d6b; }
  body { font: 16px/1.5 system-ui, sans-serif; margin: 0; display: grid; place-items: center;
         min-height: 100vh; background: light-dark(#fafafa, #181715);
         color: light-dark(#222, #eee); }
  main { width: min(22rem, calc(100vw - 3rem)); }
  h1 { font-size: 1.6rem; margin: 0 0 1rem; }
  label { display: block; font-weight: 600; }
  input, button { box-sizing: border-box; width: 100%; font: inherit; padding: .6rem .8rem;
         border-radius: .5rem; margin-top: .4rem; }
  input { border: 1px solid light-dark(#bbb, #555); background: light-dark(#fff, #222);
          color: inherit; }
  button { border: 0; background: var(--accent); color: #fff; font-weight: 600; cursor: pointer;
           margin-top: .8rem; }
  .problem { color: light-dark(#a02818, #ff9d8d); }
  .hint { font-size: .85rem; opacity: .75; }
</style>
</head>
<body><main><h1>PiTasker</h1>{said}{form}</main></body>
</html>
"""
