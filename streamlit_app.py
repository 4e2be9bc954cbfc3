"""PiTasker's front door: `streamlit run streamlit_app.py` serves the dashboard and the API.

The server imports this file once and finds `app`; each browser session then runs it as a script.
"""

import streamlit as st

if __name__ == "__main__":
    from pitasker_core.dashboard import shell

    shell.run()
else:
    from starlette.middleware import Middleware
    from starlette.routing import Mount

    from pitasker_core.dashboard.imports import ImportLater
    from pitasker_core.dashboard.lifespan import lifespan
    from pitasker_core.server.api.app import make
    from pitasker_core.server.web import app_manifest, connection, login, prometheus
    from pitasker_core.server.web.bounds import Bounded
    from pitasker_core.server.web.compression import Compressed
    from pitasker_core.server.web.gate import Gate

    app = st.App(
        __file__,
        lifespan=lifespan,
        routes=[
            *login.routes(),
            *connection.routes(),
            *app_manifest.routes(),
            *prometheus.routes(),
            Mount("/api", make()),
        ],
        middleware=[
            Middleware(ImportLater),
            Middleware(Gate),
            Middleware(Bounded),
            Middleware(Compressed),
        ],
    )
