"""The sign-in and sign-out pages, which work without Streamlit."""

import html
import logging
import re
from collections.abc import Mapping

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from pitasker_core.base.environment import Environment
from pitasker_core.base.text import Code, Text
from pitasker_core.server import auth
from pitasker_core.server.auth import Role
from pitasker_core.server.connections import group_of
from pitasker_core.server.web import plain_page
from pitasker_core.server.web.throttle import Throttle

throttle = Throttle()
_one_at_a_time = anyio.Lock()
"""Argon2 needs 64 MB for each password that it checks."""

_log = logging.getLogger(__name__)


def routes() -> list[Route]:
    """The routes of sign-in, sign-out and the health check."""
    return [
        Route("/login", _ask, methods=["GET"]),
        Route("/login", _sign_in, methods=["POST"]),
        Route("/logout", _ask_to_sign_out, methods=["GET"]),
        Route("/logout", _sign_out, methods=["POST"]),
        Route("/healthz", _healthz, methods=["GET"]),
    ]


def _ask(request: Request) -> Response:
    environment = Environment.from_environment()
    token = request.query_params.get("token")
    if token is None:
        return _page(environment)
    # A chat's preview or a prefetch may open the link first, so GET does not use it up.
    role = auth.role_of_link(environment, token)
    if role is None:
        return _page(environment, _USED, status=401)
    may = "have full access" if role is Role.WRITE else "have read-only access"
    form = _LINK_FORM.format(may=may, token=html.escape(token))
    return plain_page.respond(_TITLE, content=form)


async def _sign_in(request: Request) -> Response:
    environment = Environment.from_environment()
    form = await request.form()
    token = form.get("token")
    if isinstance(token, str):
        role = auth.use_link(environment, token)
        if role is None:
            return _page(environment, _USED, status=401)
        _log.info("Somebody signed in with a link, from %s.", _where(request))
        return _welcome(request, environment, role)
    password = form.get("password")
    if not isinstance(password, str) or len(password) > 1000:
        return _page(environment, "Type the password.", status=400)
    visitor = auth.visitor(environment, request.state.sites, request.cookies)
    who = visitor or group_of(request.client.host if request.client else "")
    if (wait := throttle.begin(who, is_stranger=visitor is None)) > 0:
        return _page(
            environment,
            Text(
                f"Too many wrong passwords. Try again in {int(wait) + 1} seconds. Or sign in "
                "without the password: ",
                Code("./pitasker link"),
                " on the machine itself prints a link.",
            ),
            status=429,
            headers={"retry-after": str(int(wait) + 1)},
        )
    async with _one_at_a_time:
        # Argon2 takes 50 ms by design, so keep it off the event loop.
        role = await anyio.to_thread.run_sync(auth.check_password, environment, password)
    if role is None:
        throttle.wrong(who)
        _log.warning("Somebody tried a wrong password, from %s.", _where(request))
        return _page(environment, "Wrong password.", status=401)
    throttle.right(who, is_stranger=visitor is None, is_owner=role is Role.WRITE)
    _log.info("Somebody signed in with the password, from %s.", _where(request))
    return _welcome(request, environment, role)


def _ask_to_sign_out(request: Request) -> Response:
    # GET does not sign out: a prefetch or another site's page could cause it.
    return plain_page.respond("PiTasker: sign out", content=_SIGN_OUT_FORM)


def _sign_out(request: Request) -> Response:
    # The gate has removed our cookies of other sites.
    auth.sign_out(Environment.from_environment(), request.cookies)
    response = RedirectResponse("/login", 303)
    for site in request.state.sites:
        response.delete_cookie(auth.cookie_name(site), secure=site.is_https, httponly=True)
    return response


def _healthz(request: Request) -> Response:
    return JSONResponse({"status": "ok"})


def _welcome(request: Request, environment: Environment, role: Role) -> Response:
    response = RedirectResponse(_next(request), 303)
    site = request.state.sites[0]
    auth.sign_out(environment, request.cookies)  # the earlier session may have another role
    cookies = [(*auth.sign_in(environment, role, site), auth.SESSION_SECONDS)]
    if role is Role.WRITE:
        seen = auth.visitor(environment, request.state.sites, request.cookies)
        cookies.append((*auth.remember_visitor(environment, site, seen), auth.VISITOR_SECONDS))
    for name, value, seconds in cookies:
        response.set_cookie(
            name, value, seconds, httponly=True, samesite="lax", secure=site.is_https
        )
    return response


def _where(request: Request) -> str:
    return request.client.host if request.client else "an unknown address"


_PAGE = re.compile(r"/[a-z-]*(\?[\w.~%&=+-]*)?", re.ASCII)
"""The path of one of our pages. Never another site, and never a path that acts by itself."""


def _next(request: Request) -> str:
    """The requested page, or the start page."""
    page = request.query_params.get("next", "/")
    is_page = _PAGE.fullmatch(page) and not page.startswith(("/login", "/logout"))
    return page if is_page else "/"


def _page(
    environment: Environment,
    problem: str = "",
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    form = _FORM if auth.has_password(environment) else _LINK
    return plain_page.respond(_TITLE, problem, content=form, status=status, headers=headers)


_TITLE = "PiTasker: sign in"

_USED = "This link was already used, or is older than 24 hours."

_FORM = """\
<form method="post">
  <label for="password">Password</label>
  <input id="password" name="password" type="password" autocomplete="current-password"
         required autofocus>
  <button>Sign in</button>
</form>
<p class="hint">Forgotten? On the machine itself, <code>./pitasker password</code> sets a new
password, and <code>./pitasker link</code> prints a link that signs you in once.</p>
"""

_LINK = """\
<p>Open the link that PiTasker printed when it started. It signs you in once.</p>
<p class="hint">For a new link, run <code>./pitasker link</code> on the machine itself. To set a
password, run <code>./pitasker password</code>.</p>
"""

_LINK_FORM = """\
<p>This link signs you in once. You will {may}.</p>
<form method="post">
  <input type="hidden" name="token" value="{token}">
  <button autofocus>Sign in</button>
</form>
"""

_SIGN_OUT_FORM = """\
<form method="post">
  <button autofocus>Sign out</button>
</form>
"""
