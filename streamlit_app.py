"""PiTasker's front door: `streamlit run streamlit_app.py` serves the dashboard and the API.

The server imports this file once and finds `app`; each browser session then runs it as a script.
"""

import streamlit as st

if __name__ == "__main__":
    from pitasker_core.dashboard import shell

    shell.run()
else:
    from functools import partial

    from starlette.middleware import Middleware
    from starlette.routing import Mount, Route, Router

    from pitasker_core.dashboard.lifespan import lifespan
    from pitasker_core.dashboard.startup import LateApp, Startup, UntilReady
    from pitasker_core.server.web import app_manifest, connection, login
    from pitasker_core.server.web.bounds import Bounded
    from pitasker_core.server.web.compression import Compressed
    from pitasker_core.server.web.gate import App, Gate

    def _make_api() -> App:
        from pitasker_core.server.api.app import make

        return make()

    def _make_metrics() -> App:
        from pitasker_core.server.web import prometheus

        return Router(prometheus.routes())

    def _preview_tasks(user_agent: str) -> str:
        if not startup.has_imported_for_pages.is_set():
            return ""  # the page does not wait for a preview
        from pitasker_core.dashboard import task_preview  # imports pandas

        return task_preview.make(user_agent)

    api, metrics = LateApp(_make_api), LateApp(_make_metrics)
    startup = Startup(api, metrics)
    app = st.App(
        __file__,
        lifespan=partial(lifespan, startup),
        routes=[
            *login.routes(),
            *connection.routes(),
            *app_manifest.routes(),
            Route("/metrics", metrics),
            Mount("/api", api),
        ],
        middleware=[
            Middleware(UntilReady, startup),
            Middleware(Gate, {"/tasks": _preview_tasks}),
            Middleware(Bounded),
            Middleware(Compressed),
        ],
    )
